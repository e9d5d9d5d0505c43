"""`manage.py package`: build the archives of function and layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faaskit.package import build, verify
from faaskit.package.target import PackageError, Target


class Command(BaseCommand):
    help = "Build build/function, build/layer and their zip files for the platform, whatever system this runs on."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's attribute)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--python", default="3.10", help="the platform's CPython (default: 3.10)")
        parser.add_argument("--platform", default="manylinux2014_x86_64", help="default: manylinux2014_x86_64")
        parser.add_argument("--output", type=Path, default=settings.BASE_DIR / "build", help="default: build/")
        parser.add_argument(
            "--verify", action="store_true", help="run the archives as on the platform and replay events in them"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        try:
            target = Target.parse(options["python"], options["platform"])
            built = build.build(settings.BASE_DIR, options["output"], target, self.stdout.write)
            self.stdout.write(built.table)
            if options["verify"]:
                verify.verify(built, settings.BASE_DIR / "tests" / "events", target, self.stdout.write)
        except PackageError as error:
            raise CommandError(str(error)) from error
