"""`faaskit rollback`: move traffic back to an earlier version."""

from __future__ import annotations

import argparse

from faaskit.scf import opened


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rollback`."""
    parser.add_argument("version", nargs="?", default="", metavar="VERSION", help="default: the one before")
    opened.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Roll back; raises DeployError and ProjectError."""
    with opened.open_deployment(options.folder, stage=options.stage) as deployment:
        deployment.rollback(options.version)
    return 0
