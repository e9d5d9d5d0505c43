"""`faaskit logs`: print the log of the deployed function."""

from __future__ import annotations

import argparse
import logging
import re
from datetime import datetime, timedelta

from faaskit.scf import function_log, opened
from faaskit.scf.account import open_account
from faaskit.scf.output import discard
from faaskit.timers import PLATFORM_TIME

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def moment(text: str) -> datetime:
    """Parse '15m' or '2h', which is that long ago, or '2026-11-21T10:30' in UTC+8; raises ArgumentTypeError."""
    ago = re.fullmatch(r"(\d{1,5})([smhd])", text)
    try:
        if ago:
            return datetime.now(PLATFORM_TIME) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text)
    except ValueError as error:
        reason = f"{text!r} is not a time such as 90s, 15m, 2h, 7d or 2026-11-21T10:30"
        raise argparse.ArgumentTypeError(reason) from error
    return at if at.tzinfo else at.replace(tzinfo=PLATFORM_TIME)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logs`."""
    parser.add_argument("--since", type=moment, default="15m", metavar="TIME", help="15m (default), 2h, or a date")
    parser.add_argument("--until", type=moment, metavar="TIME", help="likewise; implies --no-follow")
    parser.add_argument("--level", type=str.upper, choices=LEVELS, default="DEBUG", help="this level and above")
    parser.add_argument("--errors", action="store_const", dest="level", const="ERROR", help="the same as --level ERROR")
    parser.add_argument("--request", default="", metavar="ID", help="only this invocation; implies --no-follow")
    parser.add_argument(
        "--follow", action=argparse.BooleanOptionalAction, help="go on with new entries, as without the option"
    )
    opened.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the lines until the end, Ctrl-C or a closed pipe; returns the exit code and raises DeployError."""
    account = open_account(options.folder, stage=options.stage)
    follow = not (options.until or options.request) if options.follow is None else options.follow
    end = None if follow else options.until or datetime.now(PLATFORM_TIME)
    level = logging.getLevelName(options.level)
    try:
        for line in function_log.lines(account.api, account.config, options.since, end, options.request, level):
            print(line, flush=True)
    except BrokenPipeError:  # `logs | head`
        discard()
    except KeyboardInterrupt:
        print()
    return 0
