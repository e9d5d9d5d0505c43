"""Output to a reader that may leave, as in `faaskit deploy | head`."""

from __future__ import annotations

import os
import sys


def report(line: str) -> None:
    """Print a line at once; print nothing more when nobody reads it, since a deployment goes on to its end."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        discard()


def discard() -> None:
    """Send standard output to nowhere, also what Python still flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
