"""`manage.py drain_outbox`: send the mail that is due."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from survey.mail import outbox


class Command(BaseCommand):
    """Sends queued mail until it is done or its time is up; several may run at once."""

    help = "Send the queued mail that is due. Safe to run several times at once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --seconds."""
        parser.add_argument(
            "--seconds",
            type=float,
            default=outbox.DRAIN_SECONDS,
            help="end after this long, and begin no mail in the last 30 seconds of it (default: %(default)g)",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Drain and print what was done."""
        try:
            drained = outbox.drain(options["seconds"])
        except ValueError as error:
            raise CommandError(error) from error
        self.stdout.write(
            f"sent {drained.sent}, to be retried {drained.retried}, "
            f"given up {drained.failed}, deleted unsent {drained.deleted}, still queued {drained.waiting}"
        )
