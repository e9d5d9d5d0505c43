"""`manage.py dev`: migrate, drain mail beside the server, serve. What `make run` ends in."""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.contrib.staticfiles.management.commands.runserver import Command as RunserverCommand
from django.core.management import call_command
from django.db import DatabaseError, connection

from survey import outbox

logger = logging.getLogger(__name__)

DRAIN_EVERY = 2.0  # seconds; on a platform a timer does this every minute


class Command(RunserverCommand):
    """The development server, with what a platform does around it."""

    help = "Migrate the database, then serve the survey and send its mail (to the console unless EMAIL_HOST is set)."

    def inner_run(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Migrate and start the drain, in the process that serves, each time it starts."""
        call_command("migrate", verbosity=1)
        threading.Thread(target=_drain_for_ever, name="outbox", daemon=True).start()
        super().inner_run(*args, **options)

    def check_migrations(self) -> None:
        """Nothing to warn about: they were applied a moment ago."""


def _drain_for_ever() -> None:
    while not threading.Event().wait(DRAIN_EVERY):
        try:
            outbox.drain(seconds=30)
        except DatabaseError:
            logger.exception("outbox.drain_failed")
        finally:
            connection.close()
