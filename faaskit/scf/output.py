"""Output to a reader that may leave, as in `faaskit deploy | head`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from faaskit.scf.api import Report


def patient(write: Callable[[str], object]) -> Report:
    """Return a function that writes lines at once, and none once nobody reads them: a deployment goes on to its end."""

    def report(line: str) -> None:
        try:
            write(line)
            sys.stdout.flush()
        except BrokenPipeError:
            discard()

    return report


def discard() -> None:
    """Send what is written to standard output to nowhere, also what Python flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
