"""The deployment that a command works with."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faaskit import project
from faaskit.scf.account import open_account
from faaskit.scf.api import DeployError
from faaskit.scf.deployment import Deployment
from faaskit.scf.output import report
from faaskit.scf.steps import AGAIN
from faaskit.scf.web_deployment import WebDeployment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command."""
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="the folder of serverless.yml (default: here)")
    parser.add_argument(
        "--stage", default="", help="the stage, with the variables of .env.STAGE (default: that of serverless.yml)"
    )


@contextmanager
def open_deployment(folder: Path, dry_run: bool = False, stage: str = "") -> Iterator[Deployment]:
    """Yield the deployment of the folder's stage. Raises DeployError, also for Control-C, and ProjectError."""
    account = open_account(folder, dry_run, stage)
    described = project.read(folder)
    kind = WebDeployment if account.config.is_web else Deployment
    deployment = kind(
        account.config,
        account.layer_config,
        account.api,
        report=(lambda line: None) if dry_run else report,  # a dry run does none of the steps
        bucket=account.bucket,
        health=described.health,
        migrate=described.migrate,
        log_fields=described.log_fields,
        uploads=account.config.environment.get(described.uploads, ""),
        open_bucket=account.open_bucket,
    )
    try:
        yield deployment
    except KeyboardInterrupt:
        raise DeployError(f"Interrupted. {deployment.steps.traffic}{AGAIN}") from None
