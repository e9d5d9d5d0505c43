"""`manage.py queue_digests`: queue the digest of the morning for the staff who want it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from survey.staff import digest


class Command(BaseCommand):
    help = "From 8:00 to noon, queue today's digests that are not queued yet. Safe to run several times at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=40, help="start no digest after this time")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        queued = digest.queue_digests(options["seconds"], timezone.now())
        self.stdout.write(f"{queued} digests queued")
