"""`manage.py drain_outbox`: deliver the queued mails and robots' messages that are due."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from survey.mail import outbox
from survey.robots import alerts, delivery

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Send the queued mails and robots' messages that are due. Safe to run several times at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seconds",
            type=float,
            default=outbox.DELIVERY_SECONDS,
            help=f"stop after this time, and start no mail in its last {settings.EMAIL_SECONDS} seconds"
            " (default: %(default)g)",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        begun, seconds = time.monotonic(), options["seconds"]
        try:
            outbox.require(seconds)
        except ValueError as error:
            raise CommandError(error) from error
        alerts.escalate()
        # The robots first: they leave the mails their time, but a mail may take all that is left.
        robots = delivery.deliver(min(delivery.RUN_SECONDS, seconds - settings.EMAIL_SECONDS))
        report = outbox.deliver(seconds, begun)
        _log_queue()
        self.stdout.write(
            f"sent {report.sent}, to be retried {report.retried}, "
            f"given up {report.failed}, deleted unsent {report.deleted}, still queued {report.waiting}"
        )
        self.stdout.write(
            f"robots: sent {robots.sent}, to be retried {robots.retried}, "
            f"given up {robots.failed}, deleted unsent {robots.deleted}, still queued {robots.waiting}"
        )


def _log_queue() -> None:
    """Log the state from which the alarm on the queue's age is made (docs/maintain.md)."""
    for event, state in (("outbox.state", outbox.queue_state()), ("robots.state", alerts.queue_state())):
        due_seconds = int((timezone.now() - state.due_since).total_seconds()) if state.due_since else 0
        logger.info(event, extra={"queued": state.queued, "due_seconds": due_seconds, "failed": state.failed})
