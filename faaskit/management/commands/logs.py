"""`manage.py logs`: the log of the deployed function."""

from __future__ import annotations

import re
import time
from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faaskit.scf import function_log
from faaskit.scf.account import open_account
from faaskit.scf.api import DeployError
from faaskit.timers import PLATFORM_TIME

UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def duration(text: str) -> timedelta:
    """'90s', '15m' or '2h', at most a day."""
    match = re.fullmatch(r"(\d+)([smh])", text)
    if not match or (length := timedelta(**{UNITS[match[2]]: int(match[1])})) > function_log.LONGEST:
        raise ArgumentTypeError(f"{text!r} is not a time such as 90s, 15m or 2h, of at most a day")
    return length


class Command(BaseCommand):
    """Print the function's log and go on printing."""

    help = "Follow the log of the deployed function: one entry an invocation, without what it returned. Ctrl-C ends."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        """What to show, and whether to wait for more."""
        parser.add_argument("--since", type=duration, default=timedelta(minutes=15), help="90s, 15m (default), 2h")
        parser.add_argument("--errors", action="store_true", help="only invocations that failed")
        parser.add_argument("--request", default="", metavar="ID", help="only this invocation; implies --no-follow")
        parser.add_argument("--no-follow", action="store_true", help="print what there is and end")
        parser.add_argument("--folder", type=Path, default=Path(settings.BASE_DIR), help="where serverless.yml lies")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print entries until Ctrl-C, or once."""
        now = datetime.now(PLATFORM_TIME)
        start = now - options["since"]
        try:
            account = open_account(options["folder"])
            if options["no_follow"] or options["request"]:
                errors, request = options["errors"], options["request"]
                entries = iter(function_log.read(account.api, account.config, start, now, errors, request))
            else:
                clock = _platform_now
                entries = function_log.follow(account.api, account.config, start, clock, time.sleep, options["errors"])
            for entry in entries:
                self.stdout.write(str(entry))
        except DeployError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("")


def _platform_now() -> datetime:
    return datetime.now(PLATFORM_TIME)
