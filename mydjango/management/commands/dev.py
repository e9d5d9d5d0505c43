"""`manage.py dev`: migrate, serve, and run the registered jobs as timers do. `make run` ends in it."""

from __future__ import annotations

import logging
import threading
import time
from io import StringIO
from typing import Any

from django.contrib.staticfiles.management.commands.runserver import Command as RunserverCommand
from django.core.management import call_command
from django.db import connection

from mydjango.operations import jobs

logger = logging.getLogger(__name__)

TICK = 2.0  # seconds; on a platform timers do this every minute


class Command(RunserverCommand):
    """The development server, with what a platform does around it."""

    help = (
        "Migrate the database, serve the project and run its jobs (mail goes to the console unless EMAIL_HOST is set)."
    )

    def inner_run(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Migrate and start the jobs in the process that serves, at each restart too."""
        call_command("migrate", verbosity=1)
        threading.Thread(target=_tick_for_ever, name="timer", daemon=True).start()
        super().inner_run(*args, **options)

    def check_migrations(self) -> None:
        """Nothing to warn about: they were applied a moment ago."""


def _tick_for_ever() -> None:
    while True:
        time.sleep(TICK)
        for command in jobs.commands():
            try:
                call_command(command, stdout=StringIO())
            except Exception:  # whatever it is: as with timers, a job that fails ends no other
                logger.exception("timer.failed")
        connection.close()
