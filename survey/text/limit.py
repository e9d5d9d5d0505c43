"""How many long texts one address may have analysed: they cost a function as much as dozens of pages."""

from __future__ import annotations

import logging

from django.db import Error

from mydjango.cold_start.deferred_apps import populate_apps

logger = logging.getLogger(__name__)

LONG_TEXT = 2_000  # characters; a guest's comment has at most 1,000, and no shorter text asks the database
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
