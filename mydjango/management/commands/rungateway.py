"""`manage.py rungateway`: the local gateway of mydjango.cloud."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mydjango.cloud import gateway
from mydjango.cloud.local_function import LocalFunctionError


class Command(BaseCommand):
    """Serves the function as a gateway does."""

    help = "Serve index.main_handler behind a local gateway: each request becomes an event in an instance process."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        """The gateway's own."""
        gateway.add_arguments(parser, settings.BASE_DIR)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Serve until Control-C."""
        try:
            gateway.run(argparse.Namespace(**options))
        except LocalFunctionError as error:
            raise CommandError(str(error)) from error
