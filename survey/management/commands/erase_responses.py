"""`manage.py erase_responses`: the name that `erase_submissions` had in the release before, for its timers."""

from __future__ import annotations

from typing import Any

from survey.management.commands import erase_submissions


class Command(erase_submissions.Command):
    help = (
        "Former name of erase_submissions, for timers. --older-than is accepted, but RETENTION_DAYS decides."
        " Goes in the release after next."
    )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        # The release before requires a number, and a rollback does not change the timers, so they carry one.
        super().handle(*args, **{**options, "older_than": None})
