"""`manage.py rungateway`: the local gateway of mydjango.cloud."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mydjango.cloud import gateway
from mydjango.cloud.local_function import LocalFunctionError
from survey.text import lexicon


class Command(BaseCommand):
    """Serves the function as a gateway does."""

    help = "Serve index.main_handler behind a local gateway: each request becomes an event in an instance process."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        """The gateway's own."""
        gateway.add_arguments(parser, settings.BASE_DIR)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Serve until Control-C."""
        give_lexicon(options)
        try:
            gateway.run(argparse.Namespace(**options))
        except LocalFunctionError as error:
            raise CommandError(str(error)) from error


def give_lexicon(options: dict[str, Any]) -> None:
    """Build the project's lexicon where there is none yet, and name its folder to the instances.

    The package ships it; built by an instance on first use it would take more memory than the function has, and with
    `--strict` an instance could not write it.
    """
    if Path(options["folder"]).resolve() != settings.BASE_DIR:
        return
    lexicon.load()
    if lexicon.folder() != lexicon.SHIPPED_FOLDER:
        options["env"] = [f"LEXICON_DIR={lexicon.folder()}", *options["env"]]
