"""Many guests at once: a thread for each event, all started by one barrier."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support.processes import Function, Instance, submission


def burst(guests: int, send: Callable[[int], int]) -> tuple[list[int], list[float]]:
    """Call `send(number)` for all guests at once; return the status and the seconds of each."""
    start = threading.Barrier(guests)

    def one(number: int) -> tuple[int, float]:
        start.wait()
        began = time.perf_counter()
        status = send(number)
        return status, time.perf_counter() - began

    with ThreadPoolExecutor(guests) as threads:
        results = list(threads.map(one, range(guests)))
    return [status for status, _seconds in results], [seconds for _status, seconds in results]


def guest_event(number: int) -> dict[str, Any]:
    """Return the event of a submission with an address to mail to and a comment to analyse."""
    return submission(number, email="guest@example.com", comment="服务员态度很好，但是排队太久")


class Pool:
    """The instances of a function; a new one is started when all others are busy, as on a platform."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._lock = threading.Lock()
        self.free: list[Instance] = []

    def send(self, number: int) -> int:
        """Send one guest's submission to a free instance and return the status."""
        with self._lock:
            instance = self.free.pop() if self.free else None
        instance = instance or self._function.start()
        status: int = instance.handle(guest_event(number))["statusCode"]
        with self._lock:
            self.free.append(instance)
        return status
