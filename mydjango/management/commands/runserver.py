"""`manage.py runserver`: Django's development server, which also runs the registered jobs as timers do."""

from __future__ import annotations

import logging
import threading
import time
from io import StringIO
from typing import Any

from django.contrib.staticfiles.management.commands.runserver import Command as RunserverCommand
from django.core.management import call_command
from django.db import DatabaseError, connection

from mydjango.operations import jobs
from mydjango.operations.doctor import unapplied_migrations

logger = logging.getLogger(__name__)

TICK = 2.0  # seconds; on a platform timers do this every minute


class Command(RunserverCommand):
    """Django's runserver with jobs. Django itself warns of migrations that are not applied."""

    help = "Serve the project and run its jobs (mail goes to the console unless EMAIL_HOST is set)."

    def inner_run(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Start the jobs in the serving process, also after the autoreloader restarts it."""
        threading.Thread(target=_run_jobs, name="jobs", daemon=True).start()
        super().inner_run(*args, **options)


def _run_jobs() -> None:
    """Run the registered jobs every TICK, from the moment that the database is migrated."""
    is_migrated = False
    while True:
        time.sleep(TICK)
        try:
            is_migrated = is_migrated or not unapplied_migrations()
        except DatabaseError:
            logger.exception("jobs.waiting")
        for command in jobs.commands() if is_migrated else ():
            try:
                call_command(command, stdout=StringIO())
            except Exception:  # as with timers, a job that fails ends no other
                logger.exception("timer.failed")
        connection.close()
