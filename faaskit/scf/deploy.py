"""`faaskit deploy`: deploy serverless.yml and build/ to Tencent Cloud SCF, without Node."""

from __future__ import annotations

import argparse
import json

from faaskit import function_config, project
from faaskit.project import Project
from faaskit.scf import canary, opened, policy, remove, rollback, settings_check, stages, upload
from faaskit.scf.account import open_account
from faaskit.scf.api import DeployError
from faaskit.scf.canary import Canary
from faaskit.scf.deployment import Deployment
from faaskit.scf.output import report

DRY_RUN = (
    "A dry run: nothing was sent, and the account was not looked at. These calls make a new function; one that exists "
    "is updated instead."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `deploy`."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--rollback", nargs="?", const="", metavar="VERSION", help="move traffic to VERSION or to the one before"
    )
    action.add_argument("--remove", action="store_true", help="delete function, versions, triggers and layer")
    action.add_argument("--dry-run", action="store_true", help="print the calls of a first deployment; needs no keys")
    action.add_argument("--policy", action="store_true", help="print the permissions that the keys need; needs no keys")
    parser.add_argument(
        "--canary",
        type=canary.percent,
        metavar="PERCENT",
        help="give the new version this share of the traffic first, and go on or back by what the log shows",
    )
    parser.add_argument(
        "--watch", type=canary.duration, default="10m", metavar="TIME", help="how long, with --canary (default: 10m)"
    )
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
    if options.policy:
        account = open_account(options.folder, dry_run=True, stage=options.stage)
        print(json.dumps(policy.policy(account, project.read(options.folder)), indent=2, ensure_ascii=False))
        return 0
    with opened.open_deployment(options.folder, options.dry_run, options.stage) as deployment:
        if options.no_migrate:
            deployment.migrate = ()
        if options.canary:
            deployment.canary = Canary(options.canary, options.watch)
        described = project.read(options.folder)
        _report_unset(deployment, described, options)
        if options.stage:
            stages.check(options.folder, deployment.config, deployment.layer_config, deployment.api, described, report)
        if described.settings:
            settings_check.check(options.folder, described.settings, deployment.config.environment)
        function = upload.read_archive(options.folder / "build" / "function.zip")
        layer = upload.read_archive(options.folder / "build" / "layer.zip") if deployment.layer_config else None
        url = deployment.deploy(function, layer)
    if options.dry_run:
        report(DRY_RUN)
    else:
        report(f"{url}/" if url else "Deployed; there is no public URL.")
    return 0


def _report_unset(deployment: Deployment, described: Project, options: argparse.Namespace) -> None:
    """Name the variables that serverless.yml takes from the environment and that are not set there.

    Raises DeployError for one that the project requires.
    """
    unset = [name for where, name in deployment.config.unset.items() if ".environment." in where]
    missing = [name for name in described.required if name in unset]
    if missing:
        raise DeployError(
            f"Required and not set: {', '.join(missing)}. Put them into "
            f"{function_config.env_file(options.folder, options.stage)} or into the environment."
        )
    if unset:
        names = ", ".join(unset) if options.verbosity > 1 else f"{len(unset)} optional settings ('-v 2' names them)"
        report(f"Not set, so left at their defaults: {names}.")
