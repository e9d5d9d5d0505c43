"""Limit the long texts of one address: analysing one costs as much CPU as dozens of pages."""

from __future__ import annotations

import logging

from django.db import Error

from mydjango.cold_start.deferred_apps import populate_apps

logger = logging.getLogger(__name__)

LONG_TEXT = 2_000  # characters, as in the longest comment (COMMENT_MAX_LENGTH); only longer texts ask the database
LONG_TEXTS_PER_WINDOW = 60  # per address


def minutes_to_wait(address: str) -> int:
    """Count a long text of the address; return in how many minutes it may send one, 0 for at once.

    The analysis does without the database: while that is away, nothing is counted and the length alone limits.
    """
    if not address:  # otherwise all clients would share one window
        return 0
    populate_apps()
    from survey import limits

    try:
        limits.count(f"long text {limits.network(address)}", LONG_TEXTS_PER_WINDOW)
    except limits.TooManyAttempts as error:
        return error.minutes
    except Error:
        logger.exception("text.not_counted")
    return 0
