"""Waiting for what another process does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return as soon as the condition holds; fail where it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        threading.Event().wait(0.01)
