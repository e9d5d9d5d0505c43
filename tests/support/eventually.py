"""Wait for another process, or see a transaction wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.db import connection


def eventually(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return as soon as the condition holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        threading.Event().wait(0.01)


def lock_waits() -> int:
    """Return how many transactions of the MySQL server wait for a row."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
        return int(cursor.fetchone()[1])
