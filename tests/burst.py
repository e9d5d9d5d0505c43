"""Many guests at once: as many events as threads, all let go in the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def burst(guests: int, send: Callable[[int], int]) -> tuple[list[int], list[float]]:
    """(status, seconds) of each guest's `send(number)`; all begin together."""
    start = threading.Barrier(guests)

    def one(number: int) -> tuple[int, float]:
        start.wait()
        began = time.perf_counter()
        status = send(number)
        return status, time.perf_counter() - began

    with ThreadPoolExecutor(guests) as threads:
        results = list(threads.map(one, range(guests)))
    return [status for status, _seconds in results], [seconds for _status, seconds in results]
