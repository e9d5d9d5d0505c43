"""`manage.py doctor`: is everything well here, and if not, what is to be done."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mydjango.operations import doctor


class Command(BaseCommand):
    """Prints one line a check; exit code 1 when one fails."""

    help = "Check settings, database, mail server, queue and files, and explain each in a line."
    requires_system_checks: list[str] = []  # noqa: RUF012  (its own first line reports them)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Examine and print."""
        failed = 0
        for finding in doctor.examine():
            self.stdout.write(f"{'ok  ' if finding.is_well else 'FAIL'} {finding.topic}: {finding.sentence}")
            self.stdout.flush()  # a pipe would keep it back while the next check waits for a server
            failed += not finding.is_well
        if failed:
            raise CommandError(f"{failed} of {len(doctor.CHECKS)} checks failed.", returncode=1)
