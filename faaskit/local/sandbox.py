"""A mount namespace in which the code's folder is read-only, as it is on the platform."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

# The code may be on another file system than the root: both become read-only. /tmp stays writable, but for code in it.
READ_ONLY = (
    'mount --bind /tmp /tmp && mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" '
    '&& { mount -o remount,bind,ro / 2>/dev/null || true; } && cd "$0" && exec "$@"'
)


def _namespace() -> list[str]:
    """Return the unshare command; users other than root need a user namespace as well."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--mount", "--propagation", "private"]


def read_only_command(command: list[str], folder: Path) -> list[str]:
    """Wrap a command so that it cannot write the folder nor the rest of the root file system."""
    return [*_namespace(), "/bin/sh", "-c", READ_ONLY, str(folder), *command]


@functools.cache
def read_only_possible(folder: Path) -> bool:
    """Try whether this user may make the folder read-only for a process."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    attempt = read_only_command(["/bin/sh", "-c", '! touch .writable 2>/dev/null && touch "$0"', os.devnull], folder)
    return subprocess.run(attempt, capture_output=True, check=False).returncode == 0
