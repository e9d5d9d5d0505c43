"""Hold an instance to its memory with a cgroup, version 2 or 1."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from pathlib import Path

from faaskit.units import MEBIBYTE

_numbers = itertools.count(1)


class Cgroup:
    """A memory cgroup of one instance, without swap. Raises OSError where it cannot be made."""

    kind: str
    limit_file: str
    swap_file: str  # missing where the kernel does not count swap
    swap: str  # value of swap_file, '' for the limit: version 1 counts memory and swap together
    events_file: str

    def __init__(self, parent: Path, megabytes: int) -> None:
        self.folder = parent / f"rungateway-{os.getpid()}-{next(_numbers)}"
        self.folder.mkdir()
        limit = str(megabytes * MEBIBYTE)
        try:
            (self.folder / self.limit_file).write_text(limit)
            if (self.folder / self.swap_file).exists():
                (self.folder / self.swap_file).write_text(self.swap or limit)
        except OSError:
            self.folder.rmdir()
            raise

    def command(self, command: list[str]) -> list[str]:
        """Wrap a command in a shell that moves itself into the group first, so that every byte counts."""
        return ["/bin/sh", "-c", 'echo 0 > "$0" && exec "$@"', str(self.folder / "cgroup.procs"), *command]

    def exceeded(self) -> bool:
        """Return whether the kernel killed a process of the group for its memory."""
        try:
            lines = (self.folder / self.events_file).read_text().splitlines()
        except FileNotFoundError:  # closed already: the gateway is ending
            return False
        return any(line.startswith("oom_kill ") and line.split()[1] != "0" for line in lines)

    def close(self) -> None:
        """Remove the group; the kernel may need a moment after the last process ended."""
        for _ in range(50):
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)
            else:
                return


class CgroupV1(Cgroup):
    """The older interface, which many container hosts still have."""

    kind = "cgroup v1"
    limit_file, swap_file, swap = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", ""
    events_file = "memory.oom_control"


class CgroupV2(Cgroup):
    """The unified interface."""

    kind = "cgroup v2"
    limit_file, swap_file, swap = "memory.max", "memory.swap.max", "0"
    events_file = "memory.events"


def _parents() -> list[tuple[type[Cgroup], Path]]:
    """List the folders to try: the group of this process first, then the top of its hierarchy."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return []
    parents: list[tuple[type[Cgroup], Path]] = []
    version: type[Cgroup]
    for _, mount, filesystem, options, *_ in mounts:
        if filesystem == "cgroup2":
            paths, version = [path for number, _, path in own if number == "0"], CgroupV2
        elif filesystem == "cgroup" and "memory" in options.split(","):
            paths, version = [path for _, controllers, path in own if "memory" in controllers.split(",")], CgroupV1
        else:
            continue
        parents += [(version, Path(mount, path.lstrip("/"))) for path in [*paths, "/"]]
    return parents


def cgroup(megabytes: int) -> Cgroup | None:
    """Make a group for one instance; return None for a limit of 0 and where this process may not make one."""
    if not megabytes:
        return None
    for version, parent in _parents():
        if version is CgroupV2:
            # The controller may not be handed down yet; a group that holds processes refuses.
            with contextlib.suppress(OSError):
                (parent / "cgroup.subtree_control").write_text("+memory")
        with contextlib.suppress(OSError):
            return version(parent, megabytes)
    return None
