"""`manage.py erase_responses`: remove personal data that is old, or one guest's; the score stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from survey.jobs import retention
from survey.models import ErasureLog, JobRun, Submission, parse_reference


class Command(BaseCommand):
    """For a daily timer, and for a guest who asks. Running it again, or twice at once, does no harm."""

    help = "Remove names, phone numbers, addresses, comments, mails and notes from answers; keep their scores."

    def add_arguments(self, parser: CommandParser) -> None:
        """Either --older-than or --reference."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--older-than", type=int, metavar="DAYS", help="answers given more than so many days ago")
        which.add_argument("--reference", metavar="R", help="the answer with this reference")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Erase and print how many answers."""
        if options["reference"]:
            submissions = Submission.objects.filter(reference=parse_reference(options["reference"]))
            if not submissions.exists():
                raise CommandError("There is no answer with this reference.")
        else:
            if options["older_than"] < 0:
                raise CommandError("--older-than takes a number of days: 0 or more.")
            day = timezone.localdate() - timedelta(days=options["older_than"])
            submissions = Submission.objects.filter(local_date__lt=day)
        erased = retention.erase(submissions, ErasureLog.Event.COMMAND if options["reference"] else None)
        if not options["reference"]:
            retention.forget_account_mails(timezone.now() - timedelta(days=options["older_than"]))
            retention.forget_unmatched_requests()
            JobRun.note(retention.JOB)
        self.stdout.write(f"erased the personal data of {erased} answers")
