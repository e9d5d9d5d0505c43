"""`manage.py update_figures`: what the timer does for the staff's pages."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from survey import limits, term_index
from survey.jobs import rollup
from survey.models import JobRun


class Command(BaseCommand):
    """Count days that are over, and write the words that comments lack."""

    help = "Count the days that are over and write the words of comments that have none; any number may run at once."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--seconds`."""
        parser.add_argument(
            "--seconds", type=float, default=20, help="for days and for comments each: start none after so long"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Do it and say how much it was."""
        limits.forget_past_windows()
        days = rollup.count_days(options["seconds"])
        comments = term_index.index_comments(options["seconds"])
        JobRun.note(rollup.JOB)
        self.stdout.write(f"{days} days counted, {comments} comments indexed")
