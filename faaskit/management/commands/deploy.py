"""`manage.py deploy`: deploy, roll back or remove the function of serverless.yml."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faaskit.project import ProjectError
from faaskit.scf import deploy, remove, rollback
from faaskit.scf.api import DeployError


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
        parser.add_argument("--noinput", action="store_true", help="do not ask before --remove")
        deploy.add_arguments(parser, settings.BASE_DIR)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        chosen = argparse.Namespace(**options, version=options["rollback"])
        backwards = options["rollback"] is not None
        if options["dry_run"] and (backwards or options["remove"]):
            raise CommandError("--dry-run shows a deployment; it does not go with --rollback and --remove.")
        run = rollback.run if backwards else remove.run if options["remove"] else deploy.run
        try:
            run(chosen, self.stdout.write)
        except (DeployError, ProjectError) as error:
            raise CommandError(str(error)) from error
