"""Retry a transaction after a deadlock: InnoDB rolls back one of two transactions that wait for each other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, transaction

logger = logging.getLogger(__name__)

DEADLOCK = 1213
Result = TypeVar("Result")


def atomically(transaction_body: Callable[[], Result]) -> Result:
    """Call the function in a transaction, and once more after a deadlock. Raises OperationalError at the second."""
    try:
        with transaction.atomic():
            return transaction_body()
    except OperationalError as error:
        if error.args[:1] != (DEADLOCK,):
            raise
        logger.warning("database.deadlock")
    with transaction.atomic():
        return transaction_body()
