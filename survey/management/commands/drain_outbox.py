"""`manage.py drain_outbox`: deliver the queued mail that is due."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from survey.mail import outbox


class Command(BaseCommand):
    help = "Send the queued mail that is due. Safe to run several times at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seconds",
            type=float,
            default=outbox.DELIVERY_SECONDS,
            help=f"stop after this time, and start no mail in its last {settings.EMAIL_SECONDS} seconds"
            " (default: %(default)g)",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        try:
            report = outbox.deliver(options["seconds"])
        except ValueError as error:
            raise CommandError(error) from error
        self.stdout.write(
            f"sent {report.sent}, to be retried {report.retried}, "
            f"given up {report.failed}, deleted unsent {report.deleted}, still queued {report.waiting}"
        )
