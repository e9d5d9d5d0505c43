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
from faaskit.project import ProjectError


class Command(BaseCommand):
    help = "Serve the function behind a local gateway: each request becomes an event in an instance process."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        serve.add_arguments(parser, settings.BASE_DIR)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        try:
            prepare_project(options)
            serve.serve(argparse.Namespace(**options))
        except (LocalFunctionError, ProjectError) as error:
            raise CommandError(str(error)) from error


def prepare_project(options: dict[str, Any]) -> None:
    """Run the project's `prepare` commands and `migrate`, which a deployment runs before the first request.

    A database that a variable names is not migrated. Raises ProjectError and LocalFunctionError.
    """
    if Path(options["folder"]).resolve() != settings.BASE_DIR:
        return
    for command in project.read(settings.BASE_DIR).prepare:
        call_command(*shlex.split(command), stdout=StringIO())
    if local_function.uses_own_database(argparse.Namespace(**options)) and connection.vendor == "sqlite":
        call_command("migrate", verbosity=0)
