"""`manage.py doctor`: print one line for each check, with what to do where it fails."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mydjango.operations import doctor


class Command(BaseCommand):
    """Print the findings, and exit with 1 when a check fails."""

    help = "Check settings, database, mail server, queue and files, and explain each in a line."
    requires_system_checks: list[str] = []  # noqa: RUF012  (the check "settings" runs them)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        failed = 0
        for finding in doctor.examine():
            self.stdout.write(f"{'ok  ' if finding.is_well else 'FAIL'} {finding.topic}: {finding.sentence}")
            self.stdout.flush()  # the next check may wait for a server
            failed += not finding.is_well
        if failed:
            raise CommandError(f"{failed} of {len(doctor.CHECKS)} checks failed.", returncode=1)
