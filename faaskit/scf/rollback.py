"""`faaskit rollback`: move traffic back to an earlier version."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from faaskit.scf.deployment import prepare
from faaskit.scf.output import patient


def add_arguments(parser: argparse.ArgumentParser, folder: Path | None = None) -> None:
    """Add the options of `rollback`."""
    parser.add_argument("version", nargs="?", default="", metavar="VERSION", help="default: the version before")
    parser.add_argument("--folder", type=Path, default=folder or Path.cwd(), help="the folder of serverless.yml")


def run(options: argparse.Namespace, write: Callable[[str], object] = print) -> int:
    """Move the traffic and check the version; returns the exit code and raises DeployError."""
    deployment = prepare(options.folder, patient(write))
    with deployment.interruptible():
        deployment.rollback(options.version)
    return 0
