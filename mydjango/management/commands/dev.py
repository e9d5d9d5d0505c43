"""`manage.py dev`, which `make run` calls: migrate, serve, and run the registered jobs as timers do."""

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
    """Django's runserver with migrations and timers."""

    help = (
        "Migrate the database, serve the project and run its jobs (mail goes to the console unless EMAIL_HOST is set)."
    )

    def inner_run(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Migrate and start the jobs in the serving process, also after the autoreloader restarts it."""
        call_command("migrate", verbosity=1)
        threading.Thread(target=_tick_for_ever, name="timer", daemon=True).start()
        super().inner_run(*args, **options)


def _tick_for_ever() -> None:
    while True:
        time.sleep(TICK)
        for command in jobs.commands():
            try:
                call_command(command, stdout=StringIO())
            except Exception:  # as with timers, a job that fails ends no other
                logger.exception("timer.failed")
        connection.close()
