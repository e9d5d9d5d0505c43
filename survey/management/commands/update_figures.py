"""`manage.py update_figures`: count past days, add up months, index comments, delete what is due."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from survey import limits, term_index
from survey.jobs import months, photos, rollup
from survey.models import JobRun

logger = logging.getLogger(__name__)
PHOTO_SECONDS = 10  # for deletions; with those for days and comments, and one request, below the function's time limit


class Command(BaseCommand):
    help = (
        "Count the days that are over, index the comments and delete the photos that are due."
        " Safe to run several times at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seconds",
            type=float,
            default=20,
            help="for days and months, then for comments: start none after",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        limits.delete_past_windows()
        start = time.monotonic()
        days = rollup.count_days(options["seconds"])
        months.add_up_months(options["seconds"] - (time.monotonic() - start))
        comments = term_index.index_comments(options["seconds"])
        JobRun.record(rollup.JOB)
        # The alarm on figures that are not updated is made from this line (docs/maintain.md).
        logger.info("figures.updated", extra={"days_due": len(rollup.due_days()), "comments": comments})
        # Last: the storage may be slow.
        deleted = photos.delete_due(min(PHOTO_SECONDS, options["seconds"]))
        self.stdout.write(f"{days} days counted, {comments} comments indexed, {deleted} photos deleted")
