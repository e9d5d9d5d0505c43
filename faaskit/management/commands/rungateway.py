"""`manage.py rungateway`: serve the function behind a local gateway."""

from __future__ import annotations

import argparse
import shlex
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from faaskit import project
from faaskit.local import local_function, serve
from faaskit.local.local_function import LocalFunctionError


class Command(BaseCommand):
    """Serves the function as a gateway does."""

    help = "Serve index.main_handler behind a local gateway: each request becomes an event in an instance process."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        """The gateway's own."""
        serve.add_arguments(parser, settings.BASE_DIR)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Serve until Control-C."""
        try:
            prepare_project(options)
            serve.run(argparse.Namespace(**options))
        except LocalFunctionError as error:
            raise CommandError(str(error)) from error


def prepare_project(options: dict[str, Any]) -> None:
    """Do what a deployment has done before the first request: the project's `prepare` commands, and `migrate`.

    A database that a variable names is left to whoever named it.
    """
    if Path(options["folder"]).resolve() != settings.BASE_DIR:
        return
    for command in project.read(settings.BASE_DIR).prepare:
        call_command(*shlex.split(command), stdout=StringIO())
    if local_function.uses_own_database(argparse.Namespace(**options)) and connection.vendor == "sqlite":
        call_command("migrate", verbosity=0)
