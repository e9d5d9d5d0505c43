"""`manage.py invoke`: one event in a fresh instance."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faaskit.local import invoke
from faaskit.local.local_function import LocalFunctionError
from faaskit.management.commands.rungateway import prepare_project


class Command(BaseCommand):
    """Replays an event."""

    help = "Send one event to index.main_handler in a fresh instance; print the answer, the log and the cost."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        """The runner's own."""
        invoke.add_arguments(parser, settings.BASE_DIR)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Exit with 0 only where the invocation succeeded."""
        try:
            prepare_project(options)
            code = invoke.run(argparse.Namespace(**options))
        except LocalFunctionError as error:
            raise CommandError(str(error)) from error
        if code:
            sys.exit(code)
