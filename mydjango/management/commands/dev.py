"""`manage.py dev`: migrate, send mail and count figures as timers do, serve. What `make run` ends in."""

from __future__ import annotations

import logging
import threading
import time
from io import StringIO
from typing import Any

from django.contrib.staticfiles.management.commands.runserver import Command as RunserverCommand
from django.core.management import call_command
from django.db import connection

from survey.jobs import rollup
from survey.mail import outbox

logger = logging.getLogger(__name__)

TICK = 2.0  # seconds; on a platform timers do this every minute


class Command(RunserverCommand):
    """The development server, with what a platform does around it."""

    help = "Migrate the database, then serve the survey and send its mail (to the console unless EMAIL_HOST is set)."

    def inner_run(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Migrate and start the timer's work, in the process that serves, each time it starts."""
        call_command("migrate", verbosity=1)
        threading.Thread(target=_tick_for_ever, name="timer", daemon=True).start()
        super().inner_run(*args, **options)

    def check_migrations(self) -> None:
        """Nothing to warn about: they were applied a moment ago."""


def _tick_for_ever() -> None:
    while True:
        time.sleep(TICK)
        for command in (outbox.CHORE, rollup.CHORE):
            try:
                call_command(command, stdout=StringIO())
            except Exception:  # one chore that fails, for whatever reason, must not end the others: as with timers
                logger.exception("timer.failed")
        connection.close()
