"""`faaskit logs`: print the log of the deployed function."""

from __future__ import annotations

import argparse
import re
import time
from datetime import datetime, timedelta
from pathlib import Path

from faaskit.scf import function_log
from faaskit.scf.account import open_account
from faaskit.timers import PLATFORM_TIME

UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def duration(text: str) -> timedelta:
    """Parse '90s', '15m' or '2h', at most a day; raises ArgumentTypeError."""
    match = re.fullmatch(r"(\d+)([smh])", text)
    if not match or (length := timedelta(**{UNITS[match[2]]: int(match[1])})) > function_log.LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 90s, 15m or 2h, of at most a day")
    return length


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logs`."""
    parser.add_argument("--since", type=duration, default=timedelta(minutes=15), help="90s, 15m (default), 2h")
    parser.add_argument("--errors", action="store_true", help="only invocations that failed")
    parser.add_argument("--request", default="", metavar="ID", help="only this invocation; implies --no-follow")
    parser.add_argument("--no-follow", action="store_true", help="print the present entries and end")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="the folder of serverless.yml (default: here)")


def run(options: argparse.Namespace) -> int:
    """Print the entries until Control-C; raises DeployError."""
    now = datetime.now(PLATFORM_TIME)
    start = now - options.since
    try:
        account = open_account(options.folder)
        if options.no_follow or options.request:
            entries = iter(
                function_log.entries(account.api, account.config, start, now, options.errors, options.request)
            )
        else:
            entries = function_log.follow(account.api, account.config, start, time.sleep, options.errors)
        for entry in entries:
            print(entry)
    except KeyboardInterrupt:
        print()
    return 0
