"""`faaskit remove`: delete function, versions, triggers and layer."""

from __future__ import annotations

import argparse

from faaskit.scf import opened
from faaskit.scf.api import DeployError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `remove`."""
    parser.add_argument("--noinput", action="store_true", help="do not ask first")
    opened.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Remove after the user typed the function's name; raises DeployError and ProjectError."""
    with opened.open_deployment(options.folder, stage=options.stage) as deployment:
        if not options.noinput:
            _confirm(deployment.config.name)
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
