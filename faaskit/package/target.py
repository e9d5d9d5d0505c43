"""The platform that a package is built for, and its Python on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from faaskit.errors import FaaskitError

PLATFORM = re.compile(r"(manylinux(?:2014|_\d+_\d+))_(\w+)")  # PEP 600
WHICH = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2], sys.executable)"
MACHINES = ("x86_64", "aarch64")


class PackageError(FaaskitError):
    """The package cannot be built; the message is one sentence that says why."""


@dataclass(frozen=True)
class Target:
    """The Python and the platform that a package runs on."""

    python: str  # "3.10"
    platform: str  # "manylinux2014_x86_64", as wheels are tagged; older tags fit as well
    uv_platform: str  # "x86_64-manylinux2014", as uv names it

    @classmethod
    def parse(cls, python: str, platform: str) -> Target:
        """Return the target that the command's options name; raises PackageError unless it is CPython on Linux."""
        if not re.fullmatch(r"3\.\d+", python):
            raise PackageError(f"--python {python}: give a version such as 3.10.")
        match = PLATFORM.fullmatch(platform)
        if not match:
            raise PackageError(f"--platform {platform}: give a wheel's tag such as manylinux2014_x86_64.")
        if match[2] not in MACHINES:
            raise PackageError(f"--platform {platform}: the processor is one of {', '.join(MACHINES)}.")
        return cls(python, platform, f"{match[2]}-{match[1]}")

    def __str__(self) -> str:
        return f"{self.platform} and CPython {self.python}"


def find_python(version: str) -> str | None:
    """Return the interpreter of a CPython of this version on this machine, or None.

    Each candidate is run: a pyenv shim, for example, exists under its name without the Python.
    """
    for command in _candidates(version):
        try:
            found = subprocess.run([*command, "-c", WHICH], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            continue
        name, _, rest = found.stdout.strip().partition(" ")
        number, _, executable = rest.partition(" ")
        if (found.returncode, name, number) == (0, "cpython", version):
            return executable
    return None


def _candidates(version: str) -> list[list[str]]:
    """Return the commands to try: this Python, PATH, Windows' launcher, uv, pyenv."""
    commands = [[sys.executable], [f"python{version}"]]
    if os.name == "nt":
        commands.append(["py", f"-{version}"])
    if shutil.which("uv"):
        found = subprocess.run(["uv", "python", "find", "--no-project", version], capture_output=True, text=True)
        if found.returncode == 0 and found.stdout.strip():
            commands.append([found.stdout.strip()])
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / (".pyenv/pyenv-win" if os.name == "nt" else ".pyenv"))
    executable = "python.exe" if os.name == "nt" else "bin/python"
    commands += [[str(folder / executable)] for folder in sorted(pyenv.glob(f"versions/{version}.*"), reverse=True)]
    return commands
