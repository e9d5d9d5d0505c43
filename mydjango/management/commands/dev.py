"""`manage.py dev`, which `make run` calls: migrate, then runserver."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command

from mydjango.management.commands.runserver import Command as RunserverCommand


class Command(RunserverCommand):
    """This project's runserver after a migration."""

    help = f"Migrate the database. {RunserverCommand.help}"

    def inner_run(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Migrate in the serving process, also after the autoreloader restarts it."""
        call_command("migrate", verbosity=1)
        super().inner_run(*args, **options)
