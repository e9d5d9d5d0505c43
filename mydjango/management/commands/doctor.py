"""`manage.py doctor`: is everything well here, and if not, what is to be done."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mydjango import doctor


class Command(BaseCommand):
    """Prints one line a check; exit code 1 when one fails."""

    help = "Check settings, database, mail server, queue and files, and explain each in a line."
    requires_system_checks: list[str] = []  # noqa: RUF012  (its own first line reports them)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Examine and print."""
        findings = doctor.examine()
        for finding in findings:
            self.stdout.write(f"{'ok  ' if finding.is_well else 'FAIL'} {finding.topic}: {finding.sentence}")
        failed = sum(not finding.is_well for finding in findings)
        if failed:
            raise CommandError(f"{failed} of {len(findings)} checks failed.", returncode=1)
