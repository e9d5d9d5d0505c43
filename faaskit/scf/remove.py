"""`faaskit remove`: delete the function with its versions, triggers and layer."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from faaskit.scf.api import DeployError
from faaskit.scf.deployment import prepare
from faaskit.scf.output import patient


def add_arguments(parser: argparse.ArgumentParser, folder: Path | None = None) -> None:
    """Add the options of `remove`."""
    parser.add_argument("--noinput", action="store_true", help="do not ask for the function's name")
    parser.add_argument("--folder", type=Path, default=folder or Path.cwd(), help="the folder of serverless.yml")


def run(options: argparse.Namespace, write: Callable[[str], object] = print) -> int:
    """Ask for the function's name and delete it; returns the exit code and raises DeployError."""
    deployment = prepare(options.folder, patient(write))
    if not options.noinput:
        _confirm(deployment.config.name)
    with deployment.interruptible():
        deployment.remove()
    return 0


def _confirm(name: str) -> None:
    """Raise DeployError unless the name is typed."""
    question = f"This deletes {name} with all its versions and its layer, not the database. Type its name: "
    try:
        typed = input(question)
    except EOFError:
        raise DeployError("Nothing was deleted: there is nobody to ask. --noinput deletes without asking.") from None
    if typed != name:
        raise DeployError("Nothing was deleted.")
