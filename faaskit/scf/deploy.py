"""`faaskit deploy`: deploy serverless.yml and build/ to Tencent Cloud SCF, without Node."""

from __future__ import annotations

import argparse

from faaskit import project
from faaskit.scf import opened, remove, rollback, upload
from faaskit.scf.api import DeployError
from faaskit.scf.deployment import Deployment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `deploy`."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--rollback", nargs="?", const="", metavar="VERSION", help="move traffic to VERSION or to the one before"
    )
    action.add_argument("--remove", action="store_true", help="delete function, versions, triggers and layer")
    parser.add_argument("--no-migrate", action="store_true", help="leave the database as it is")
    parser.add_argument("--noinput", action="store_true", help="do not ask before --remove")
    opened.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Deploy, or what --rollback and --remove say; raises DeployError and ProjectError."""
    if options.remove:
        return remove.run(options)
    if options.rollback is not None:
        options.version = options.rollback
        return rollback.run(options)
    with opened.open_deployment(options, migrate=not options.no_migrate) as deployment:
        _deploy(deployment, options)
    return 0


def _deploy(deployment: Deployment, options: argparse.Namespace) -> None:
    folder = options.folder
    unset = [name for where, name in deployment.config.unset.items() if ".environment." in where]
    missing = [name for name in project.read(folder).required if name in unset]
    if missing:
        raise DeployError(
            f"Required and not set: {', '.join(missing)}. Put them into {folder / '.env'} or into the environment; "
            ".env.example lists them."
        )
    function = upload.read_archive(folder / "build" / "function.zip")
    layer = upload.read_archive(folder / "build" / "layer.zip") if deployment.layer_config else None
    if unset:
        names = ", ".join(unset) if options.verbosity > 1 else f"{len(unset)} optional settings ('-v 2' names them)"
        print(f"Not set, so left at their defaults: {names}.")
    url = deployment.deploy(function, layer)
    if not options.dry_run:
        print(f"{url}/" if url else "Deployed; there is no public URL.")
