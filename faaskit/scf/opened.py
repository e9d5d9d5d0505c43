"""The deployment that a command works with, and the options that these commands share."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faaskit.scf.account import open_account
from faaskit.scf.api import DeployError
from faaskit.scf.deployment import AGAIN, Deployment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that changes the account."""
    parser.add_argument("--dry-run", action="store_true", help="print the calls, change nothing; needs no keys")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="the folder of serverless.yml (default: here)")


@contextmanager
def open_deployment(options: argparse.Namespace, migrate: bool = False) -> Iterator[Deployment]:
    """Yield the deployment of the folder. Raises DeployError, also for Control-C."""
    account = open_account(options.folder, options.dry_run)
    try:
        yield Deployment(
            account.config,
            account.layer_config,
            account.api,
            report=(lambda line: None) if options.dry_run else print,  # a dry run does none of the steps
            pause=time.sleep,
            bucket=account.bucket,
            migrate=migrate,
        )
    except KeyboardInterrupt:
        raise DeployError(f"Interrupted. {AGAIN}") from None
    if options.dry_run:
        print("This was a dry run: nothing has changed.")
