"""`manage.py logs`: print the log of the deployed function."""

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
    """Parse '90s', '15m' or '2h', at most a day; raises ArgumentTypeError."""
    match = re.fullmatch(r"(\d+)([smh])", text)
    if not match or (length := timedelta(**{UNITS[match[2]]: int(match[1])})) > function_log.LONGEST:
        raise ArgumentTypeError(f"{text!r} is not a time such as 90s, 15m or 2h, of at most a day")
    return length


class Command(BaseCommand):
    help = "Follow the log of the deployed function, one entry for each invocation; Ctrl-C ends it."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=duration, default=timedelta(minutes=15), help="90s, 15m (default), 2h")
        parser.add_argument("--errors", action="store_true", help="only invocations that failed")
        parser.add_argument("--request", default="", metavar="ID", help="only this invocation; implies --no-follow")
        parser.add_argument("--no-follow", action="store_true", help="print the present entries and end")
        parser.add_argument("--folder", type=Path, default=Path(settings.BASE_DIR), help="the folder of serverless.yml")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        now = datetime.now(PLATFORM_TIME)
        start, errors, request_id = now - options["since"], options["errors"], options["request"]
        try:
            account = open_account(options["folder"])
            if options["no_follow"] or request_id:
                entries = iter(function_log.entries(account.api, account.config, start, now, errors, request_id))
            else:
                entries = function_log.follow(account.api, account.config, start, time.sleep, errors)
            for entry in entries:
                self.stdout.write(str(entry))
        except DeployError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("")
