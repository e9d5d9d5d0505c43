"""`manage.py logs`: print the log of the deployed function."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faaskit.scf import logs
from faaskit.scf.api import DeployError


class Command(BaseCommand):
    help = "Follow the log of the deployed function; Ctrl-C ends it."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        logs.add_arguments(parser, settings.BASE_DIR)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        try:
            logs.run(argparse.Namespace(**options), self.stdout.write)
        except DeployError as error:
            raise CommandError(str(error)) from error
