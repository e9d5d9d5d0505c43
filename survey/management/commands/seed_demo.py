"""`manage.py seed_demo`: a chain to look at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from survey import term_index
from survey.demo import chain
from survey.jobs import rollup
from survey.models import ExportLog, FollowUpNote, FollowUpStatus, Membership, Submission
from survey.staff.accounts import head_office_group

PASSWORD = "demo"  # noqa: S105  (of the demo's accounts, which exist with DEBUG on only)
LOGIN = f"Log in at /dashboard/ as head@example.com or manager@example.com, password {PASSWORD}."
LONG_ENOUGH = 600.0  # seconds


class Command(BaseCommand):
    """Fill an empty database with a chain of 12 branches and 5,000 answers of the last year."""

    help = "Make 12 branches, 5,000 answers of a year and two accounts to look at the staff's pages with."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--responses`."""
        parser.add_argument("--responses", type=int, default=5_000, help="how many answers (default 5000)")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Seed, unless there are answers: real ones must not be mixed with made-up ones."""
        if not settings.DEBUG:
            raise CommandError("The demo's accounts have known passwords: seed_demo runs with DEBUG on only.")
        if Submission.objects.exists():
            self.stdout.write("There are answers already: none were made.")
            if User.objects.filter(username="head@example.com").exists():
                self.stdout.write(LOGIN)
            return
        # The last whole day: what is seeded does not depend on the time of day.
        last = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(seconds=1)
        places = chain.branches()
        for batch in chain.in_batches(chain.submissions(places, options["responses"], last)):
            Submission.objects.bulk_create(batch)
        head, is_new = User.objects.get_or_create(
            username="head@example.com",
            defaults={"first_name": "总部", "email": "head@example.com", "is_staff": True},
        )
        manager, _created = User.objects.get_or_create(
            username="manager@example.com", defaults={"first_name": "王店长", "email": "manager@example.com"}
        )
        if is_new:
            for user in (head, manager):
                user.set_password(PASSWORD)
                user.save()
        head.groups.add(head_office_group())
        Membership.objects.get_or_create(user=manager, branch=places[0])
        FollowUpNote.objects.bulk_create(chain.notes(head, {places[0].pk: manager}))
        ExportLog.objects.bulk_create(chain.export_logs(head, manager, places[0], last))
        rollup.count_days(LONG_ENOUGH)
        term_index.index_comments(LONG_ENOUGH)
        waiting = Submission.objects.filter(follow_up_status=FollowUpStatus.OPEN).count()
        self.stdout.write(
            f"{options['responses']} answers of a year in {len(places)} branches, {waiting} to follow up.\n{LOGIN}"
        )
