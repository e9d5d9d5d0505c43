"""What the platform forbids: writing into the code. A mount namespace in which the code's folder is read-only."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

# The root may hold the code's folder or not: both are made read-only, /tmp stays writable (unless the code is in it).
READ_ONLY = (
    'mount --bind /tmp /tmp && mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" '
    '&& { mount -o remount,bind,ro / 2>/dev/null || true; } && cd "$0" && exec "$@"'
)


def _namespace() -> list[str]:
    """unshare for root; for others within a user namespace of their own."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--mount", "--propagation", "private"]


def read_only_command(command: list[str], folder: Path) -> list[str]:
    """The command, started where the folder (and what else is on the root's file system) cannot be written."""
    return [*_namespace(), "/bin/sh", "-c", READ_ONLY, str(folder), *command]


@functools.cache
def read_only_possible(folder: Path) -> bool:
    """Whether this machine lets this user make the folder read-only for a process: tried, not guessed."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    attempt = read_only_command(["/bin/sh", "-c", '! touch .writable 2>/dev/null && touch "$0"', os.devnull], folder)
    return subprocess.run(attempt, capture_output=True, check=False).returncode == 0
