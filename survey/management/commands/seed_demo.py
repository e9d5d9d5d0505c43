"""`manage.py seed_demo`: fill an empty database with the demo chain."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from survey import term_index
from survey.demo import chain
from survey.jobs import months, rollup
from survey.models import Branch, ExportLog, FollowUpNote, FollowUpStatus, Membership, QuestionValue, Submission
from survey.staff.accounts import head_office_group

HEAD = "head@example.com"
PASSWORD = "demo"  # noqa: S105  (of the demo's accounts, which exist with DEBUG on only)
LOGIN = f"Log in at /dashboard/ as {HEAD} or manager@example.com, password {PASSWORD}."
JOB_SECONDS = 600.0  # for each of the jobs that follow the submissions
BATCH = 1_000  # submissions in one INSERT


class Command(BaseCommand):
    """Create a brand, branches, submissions and what follows from them; leave a database that has submissions alone."""

    help = "Create a brand, 12 branches, a year of submissions and two accounts, to look at the staff's pages with."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--submissions", type=int, default=5_000, help="how many submissions (default 5000)")

    def handle(self, *args: Any, submissions: int, **options: Any) -> None:  # noqa: ANN401
        """Refuse to run with DEBUG off, and never mix made-up submissions with real ones."""
        if not settings.DEBUG:
            raise CommandError("The demo's accounts have known passwords: seed_demo runs with DEBUG on only.")
        if Submission.objects.exists():
            self.stdout.write("The database has submissions already: none were created.")
            if User.objects.filter(username=HEAD).exists():
                self.stdout.write(LOGIN)
            return
        self.stdout.write(f"Creating {submissions} submissions; 5000 take half a minute.")
        # The end of yesterday, so that the demo does not depend on the time of day.
        last = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(seconds=1)
        branches = chain.branches()
        chain.brand()
        Submission.objects.bulk_create(chain.submissions(branches, submissions, last), batch_size=BATCH)
        _create_staff(branches[0], last)
        chain.own_questions(User.objects.get(username=HEAD))
        QuestionValue.objects.bulk_create(chain.own_values(last), batch_size=BATCH)
        rollup.count_days(JOB_SECONDS)
        months.add_up_months(JOB_SECONDS)
        term_index.index_comments(JOB_SECONDS)
        waiting = Submission.objects.filter(follow_up_status=FollowUpStatus.OPEN).count()
        self.stdout.write(
            f"{submissions} submissions of a year in {len(branches)} branches, {waiting} to follow up.\n{LOGIN}"
        )


def _create_staff(branch: Branch, last: datetime) -> None:
    """Create head office and the manager of `branch`, with their notes and exports."""
    head, is_new = User.objects.get_or_create(
        username=HEAD, defaults={"first_name": "总部", "email": HEAD, "is_staff": True}
    )
    manager, _is_new = User.objects.get_or_create(
        username="manager@example.com", defaults={"first_name": "王店长", "email": "manager@example.com"}
    )
    if is_new:
        for user in (head, manager):
            user.set_password(PASSWORD)
            user.save()
    head.groups.add(head_office_group())
    Membership.objects.get_or_create(user=manager, branch=branch)
    Submission.objects.bulk_update(chain.owners(head, {branch.pk: manager}), ["follow_up_owner"])
    FollowUpNote.objects.bulk_create(chain.notes(head, {branch.pk: manager}))
    ExportLog.objects.bulk_create(chain.export_logs(head, manager, branch, last))
