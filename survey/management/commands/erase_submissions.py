"""`manage.py erase_submissions`: erase personal data by age or by reference; the scores stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from survey import photos
from survey.jobs import retention
from survey.models import ErasureLog, JobRun, Submission, parse_reference


class Command(BaseCommand):
    help = (
        "Erase names, phone numbers, addresses, comments, mails and notes of submissions; keep their scores."
        " By age also delete what else is out of date: searched words, mails about accounts, expired sessions."
        " Safe to run again, and several times at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        older = "submissions of more than DAYS days ago; RETENTION_DAYS by default"
        which.add_argument("--older-than", type=int, metavar="DAYS", help=older)
        which.add_argument("--reference", metavar="R", help="the submission with this reference")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        if options["reference"] is not None:
            erased = self._erase_one(options["reference"])
        elif options["older_than"] is not None:
            erased = self._erase_old(options["older_than"])
        else:
            erased = self._erase_old(settings.RETENTION_DAYS)
        self.stdout.write(f"erased the personal data of {erased} submissions")

    def _erase_one(self, reference: str) -> int:
        submissions = Submission.objects.filter(reference=parse_reference(reference))
        if not submissions.exists():
            raise CommandError("There is no submission with this reference.")
        return retention.erase(submissions, ErasureLog.Event.COMMAND)

    def _erase_old(self, days: int) -> int:
        if days < 0:
            raise CommandError("--older-than takes a number of days: 0 or more.")
        erased = retention.erase(Submission.objects.filter(local_date__lt=timezone.localdate() - timedelta(days)))
        retention.delete_account_mails(before=timezone.now() - timedelta(days))
        retention.delete_searched_words(before=timezone.now() - timedelta(days))
        retention.replace_unkeyed_digests()
        photos.queue_erased()
        call_command("clearsessions")
        retention.delete_unmatched_requests()
        JobRun.record(retention.JOB)
        return erased
