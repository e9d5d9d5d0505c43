"""`manage.py deploy`: deploy serverless.yml and build/ to Tencent Cloud SCF, without Node."""

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
from faaskit.scf.deployment import AGAIN, Deployment


class Command(BaseCommand):
    help = (
        "Deploy the archives of 'manage.py package' to Tencent Cloud SCF, as serverless.yml describes the function. "
        "Keys come from TENCENT_SECRET_ID and TENCENT_SECRET_KEY, in the environment or in .env."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument(
            "--rollback", nargs="?", const="", metavar="VERSION", help="move traffic to VERSION or to the one before"
        )
        action.add_argument("--remove", action="store_true", help="delete function, versions, triggers and layer")
        parser.add_argument("--dry-run", action="store_true", help="print the calls, change nothing; needs no keys")
        parser.add_argument("--no-migrate", action="store_true", help="leave the database as it is")
        parser.add_argument("--noinput", action="store_true", help="do not ask before --remove")
        parser.add_argument(
            "--folder", type=Path, default=Path(settings.BASE_DIR), help="the folder of serverless.yml and build/"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        folder: Path = options["folder"]
        dry_run: bool = options["dry_run"]
        try:
            account = open_account(folder, dry_run, self.stdout.write)
            deployment = Deployment(
                account.config,
                account.layer_config,
                account.api,
                report=(lambda line: None) if dry_run else self.stdout.write,  # a dry run does none of the steps
                pause=time.sleep,
                bucket=account.bucket,
                migrate=not options["no_migrate"],
            )
            if options["remove"]:
                self._confirm(account.config.name, options["noinput"] or dry_run)
                deployment.remove()
            elif options["rollback"] is not None:
                deployment.rollback(options["rollback"])
            else:
                self._deploy(deployment, folder, options["verbosity"])
            if dry_run:
                self.stdout.write("This was a dry run: nothing has changed.")
        except (DeployError, project.ProjectError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {AGAIN}") from None

    def _deploy(self, deployment: Deployment, folder: Path, verbosity: int) -> None:
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
            names = ", ".join(unset) if verbosity > 1 else f"{len(unset)} optional settings ('-v 2' names them)"
            self.stdout.write(f"Not set, so left at their defaults: {names}.")
        url = deployment.deploy(function, layer)
        if not deployment.api.dry_run:
            self.stdout.write(f"{url}/" if url else "Deployed; there is no public URL.")

    def _confirm(self, name: str, agreed: bool) -> None:
        question = f"This deletes {name} with all its versions and its layer, not the database. Type its name: "
        if not agreed and input(question) != name:
            raise CommandError("Nothing was deleted.")
