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
    """Remove after the user typed the function's name; raises DeployError."""
    with opened.open_deployment(options) as deployment:
        name = deployment.config.name
        question = f"This deletes {name} with all its versions and its layer, not the database. Type its name: "
        if not (options.noinput or options.dry_run) and input(question) != name:
            raise DeployError("Nothing was deleted.")
        deployment.remove()
    return 0
