"""`manage.py invoke`: send one event to a fresh instance."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faaskit.local import invoke
from faaskit.local.local_function import LocalFunctionError
from faaskit.management.commands.rungateway import prepare_project
from faaskit.project import ProjectError


class Command(BaseCommand):
    help = "Send one event to the function in a fresh instance; print the result, the log and the cost."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        invoke.add_arguments(parser, settings.BASE_DIR)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        try:
            prepare_project(options)
            code = invoke.invoke_event(argparse.Namespace(**options))
        except (LocalFunctionError, ProjectError) as error:
            raise CommandError(str(error)) from error
        if code:
            sys.exit(code)
