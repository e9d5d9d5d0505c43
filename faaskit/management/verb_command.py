"""A verb of the console script `faaskit` as a command of manage.py."""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faaskit.cli import VERBS
from faaskit.errors import FaaskitError


class VerbCommand(BaseCommand):
    """Runs the verb of this name, by default in the project's folder."""

    verb: str
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = VERBS[self.verb].help
        VERBS[self.verb].load().add_arguments(parser)
        parser.set_defaults(folder=Path(getattr(settings, "BASE_DIR", Path.cwd())))

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        self.stdout.ending = ""  # print() writes its own
        try:
            with redirect_stdout(cast(IO[str], self.stdout)):
                code = VERBS[self.verb].load().run(argparse.Namespace(**options))
        except FaaskitError as error:
            raise CommandError(str(error)) from error
        if code:
            sys.exit(code)
