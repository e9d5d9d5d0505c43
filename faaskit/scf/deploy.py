"""`faaskit deploy`: deploy serverless.yml and the archives of `package`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from faaskit import project
from faaskit.scf.api import DeployError, Report
from faaskit.scf.deployment import Deployment, prepare
from faaskit.scf.output import patient
from faaskit.scf.upload import read_archive


def add_arguments(parser: argparse.ArgumentParser, folder: Path | None = None) -> None:
    """Add the options of `deploy`."""
    parser.add_argument("--dry-run", action="store_true", help="print the calls of a first deployment; needs no keys")
    parser.add_argument("--no-migrate", action="store_true", help="leave the database as it is")
    parser.add_argument(
        "--folder", type=Path, default=folder or Path.cwd(), help="the folder of serverless.yml and build/"
    )


def run(options: argparse.Namespace, write: Callable[[str], object] = print) -> int:
    """Deploy and print the URL; returns the exit code and raises DeployError."""
    report = patient(write)
    deployment = prepare(options.folder, report, options.dry_run)
    deployment.migrate = not options.no_migrate
    _report_unset(deployment, options, report)
    function = read_archive(options.folder / "build" / "function.zip")
    layer = read_archive(options.folder / "build" / "layer.zip") if deployment.layer_config else None
    with deployment.interruptible():
        url = deployment.deploy(function, layer)
    if options.dry_run:
        report("A dry run: nothing was sent, and the account was not looked at. These calls make a new function; a")
        report("function that exists is updated instead.")
    else:
        report(f"{url}/" if url else "Deployed; there is no public URL.")
    return 0


def _report_unset(deployment: Deployment, options: argparse.Namespace, report: Report) -> None:
    """Name the variables that serverless.yml takes from the environment and that are not set there.

    Raises DeployError for one that the project requires.
    """
    unset = [name for where, name in deployment.config.unset.items() if ".environment." in where]
    missing = [name for name in project.read(options.folder).required if name in unset]
    if missing:
        raise DeployError(
            f"Required and not set: {', '.join(missing)}. Put them into {options.folder / '.env'} or into the "
            "environment; .env.example lists them."
        )
    if unset:
        names = ", ".join(unset) if options.verbosity > 1 else f"{len(unset)} optional settings ('-v 2' names them)"
        report(f"Not set, so left at their defaults: {names}.")
