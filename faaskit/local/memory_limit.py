"""Holding an instance to its memory: a memory cgroup (v2 or v1), else the size of its address space."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
import time
from pathlib import Path

MEGABYTE = 1024 * 1024
_numbers = itertools.count(1)


class MemoryLimit:
    """No limit: what the others refine. One object an instance."""

    kind = "none"

    def command(self, command: list[str]) -> list[str]:
        """The command, changed so that the process starts under the limit."""
        return command

    def exceeded(self, error_type: str = "") -> bool:
        """Whether the instance went over its limit; `error_type` is the exception that it reported, if any."""
        return False

    def close(self) -> None:
        """Remove what was made for this instance; after its end."""


class AddressSpace(MemoryLimit):
    """RLIMIT_AS, by the shell's ulimit: counts mapped memory too, so it strikes earlier than the platform."""

    kind = "address space"

    def __init__(self, megabytes: int) -> None:
        self.kilobytes = megabytes * 1024

    def command(self, command: list[str]) -> list[str]:
        """Started by a shell that lowers its own limit first."""
        return ["/bin/sh", "-c", f'ulimit -v {self.kilobytes} && exec "$@"', "sh", *command]

    def exceeded(self, error_type: str = "") -> bool:
        """Whether an allocation failed."""
        return error_type == "MemoryError"


class Cgroup(MemoryLimit):
    """A memory cgroup of the instance's own, without swap. OSError where it cannot be made."""

    files: tuple[tuple[str, str], ...]  # (file, value or '' for the limit); one that ends in ? may be missing
    events: str

    def __init__(self, parent: Path, megabytes: int) -> None:
        self.folder = parent / f"rungateway-{os.getpid()}-{next(_numbers)}"
        self.folder.mkdir()
        try:
            for name, value in self.files:
                path = self.folder / name.rstrip("?")
                if name.endswith("?") and not path.exists():
                    continue
                path.write_text(value or str(megabytes * MEGABYTE))
        except OSError:
            self.folder.rmdir()
            raise

    def command(self, command: list[str]) -> list[str]:
        """Started by a shell that first moves itself into the group, so that every byte counts."""
        return ["/bin/sh", "-c", 'echo 0 > "$0" && exec "$@"', str(self.folder / "cgroup.procs"), *command]

    def exceeded(self, error_type: str = "") -> bool:
        """Whether the kernel killed something in the group for its memory."""
        try:
            lines = (self.folder / self.events).read_text().splitlines()
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
    """The older interface."""

    kind = "cgroup v1"
    files = (("memory.limit_in_bytes", ""), ("memory.memsw.limit_in_bytes?", ""))
    events = "memory.oom_control"


class CgroupV2(Cgroup):
    """The unified interface."""

    kind = "cgroup v2"
    files = (("memory.max", ""), ("memory.swap.max?", "0"))
    events = "memory.events"


def _parents() -> list[tuple[type[Cgroup], Path]]:
    """Where a group may be made, best first: below this process's own, else at the top of the hierarchy."""
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
        for path in [*paths, "/"]:
            parent = Path(mount, path.lstrip("/"))
            if parent.is_dir() and (version, parent) not in parents:
                parents.append((version, parent))
    return parents


def cgroup(megabytes: int) -> Cgroup | None:
    """A group of its own for one instance, or None where this process may not make one."""
    for version, parent in _parents():
        if version is CgroupV2:
            # Where no controller is handed down yet, ask for it; a group that holds processes refuses.
            with contextlib.suppress(OSError):
                (parent / "cgroup.subtree_control").write_text("+memory")
        with contextlib.suppress(OSError):
            return version(parent, megabytes)
    return None


def limit(megabytes: int, required: bool) -> MemoryLimit:
    """The best limit there is here; without cgroups the address space is limited only if `required`."""
    if not megabytes:
        return MemoryLimit()
    group = cgroup(megabytes)
    if group is not None:
        return group
    if required and sys.platform == "linux" and shutil.which("sh"):
        return AddressSpace(megabytes)
    return MemoryLimit()
