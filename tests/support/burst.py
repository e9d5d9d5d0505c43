"""Many guests at once: as many events as threads, all let go in the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support.processes import Function, Instance, submission


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


def guest_event(number: int) -> dict[str, Any]:
    """What every guest sends: an answer that brings a mail and words along."""
    return submission(number, email="guest@example.com", comment="服务员态度很好，但是排队太久")


class Pool:
    """Instances of a function, started when all others are busy, as a platform does."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._lock = threading.Lock()
        self.free: list[Instance] = []

    def send(self, number: int) -> int:
        """Let an instance take the answer of one guest; the status."""
        with self._lock:
            instance = self.free.pop() if self.free else None
        instance = instance or self._function.start()
        status: int = instance.handle(guest_event(number))["statusCode"]
        with self._lock:
            self.free.append(instance)
        return status
