"""`manage.py deploy`: from serverless.yml and build/ to a running URL, without Node."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faaskit import project
from faaskit.scf import upload
from faaskit.scf.account import open_account
from faaskit.scf.api import DeployError
from faaskit.scf.deployment import Deployment


class Command(BaseCommand):
    """Deploy, roll back or remove the function of serverless.yml."""

    help = (
        "Deploy what 'manage.py package' built to Tencent Cloud SCF, as serverless.yml says. Keys come from "
        "TENCENT_SECRET_ID and TENCENT_SECRET_KEY, in the environment or in .env."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        """One action at a time, and what changes it."""
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--rollback", nargs="?", const="", metavar="VERSION", help="give guests the version before")
        action.add_argument("--remove", action="store_true", help="delete function, versions, triggers and layer")
        parser.add_argument("--dry-run", action="store_true", help="print the calls, change nothing; needs no keys")
        parser.add_argument("--no-migrate", action="store_true", help="leave the database as it is")
        parser.add_argument("--noinput", action="store_true", help="do not ask before --remove")
        parser.add_argument("--folder", type=Path, default=Path(settings.BASE_DIR), help="where serverless.yml lies")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Open the account and do the one action; every failure is a sentence."""
        folder: Path = options["folder"]
        try:
            account = open_account(folder, options["dry_run"], self.stdout.write)
            deployment = Deployment(
                account.config,
                account.layer_config,
                account.api,
                say=_say_nothing if options["dry_run"] else self.stdout.write,
                pause=time.sleep,
                bucket=account.bucket,
                migrate=not options["no_migrate"],
            )
            if options["remove"]:
                self._confirm(account.config.name, options["noinput"] or options["dry_run"])
                deployment.remove()
            elif options["rollback"] is not None:
                deployment.rollback(options["rollback"])
            else:
                self._deploy(deployment, folder / "build", options["verbosity"])
            if options["dry_run"]:
                self.stdout.write("This was a dry run: nothing has changed.")
        except DeployError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Run the same command again: it takes up where it stopped.") from None

    def _deploy(self, deployment: Deployment, build: Path, verbosity: int) -> None:
        unset = [name for where, name in deployment.config.unset.items() if ".environment." in where]
        missing = [name for name in project.read(build.parent).required if name in unset]
        if missing:
            raise DeployError(
                f"Required and not set: {', '.join(missing)}. Put them into {build.parent / '.env'} or into the "
                "environment; .env.example has them all."
            )
        function = upload.read(build / "function.zip")
        layer = upload.read(build / "layer.zip") if deployment.layer_config else None
        if unset:
            names = ", ".join(unset) if verbosity > 1 else f"{len(unset)} optional settings ('-v 2' names them)"
            self.stdout.write(f"Not set, so left at their defaults: {names}.")
        url = deployment.deploy(function, layer)
        if not deployment.api.dry_run:
            self.stdout.write(f"{url}/" if url else "Deployed; there is no public URL.")

    def _confirm(self, name: str, agreed: bool) -> None:
        question = f"This deletes {name} with all its versions and its layer, not the database. Type its name: "
        if not agreed and input(question) != name:
            raise CommandError("Nothing was deleted.")


def _say_nothing(line: str) -> None:
    """What a deployment reports did not happen in a dry run."""
