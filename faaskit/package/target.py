"""What a package is built for: the platform's Python, processor and C library; and that Python on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MACHINES = {"x86_64": 62, "aarch64": 183}  # ELF's numbers
LEGACY_TAGS = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}  # PEP 600


class PackageError(Exception):
    """The package cannot be built; the message is one sentence that says why."""


@dataclass(frozen=True)
class Target:
    """Where the package runs."""

    python: str  # "3.10"
    platform: str  # "manylinux2014_x86_64", as wheels are tagged
    glibc: tuple[int, int]  # the newest version that is certain to be there
    machine: str

    @classmethod
    def parse(cls, python: str, platform: str) -> Target:
        """From the command's options; PackageError for what is not CPython on Linux."""
        if not re.fullmatch(r"3\.\d+", python):
            raise PackageError(f"--python {python}: give a version such as 3.10.")
        legacy = re.fullmatch(r"(manylinux(?:1|2010|2014))_(\w+)", platform)
        modern = re.fullmatch(r"manylinux_(\d+)_(\d+)_(\w+)", platform)
        if legacy:
            glibc, machine = LEGACY_TAGS[legacy[1]], legacy[2]
        elif modern:
            glibc, machine = (int(modern[1]), int(modern[2])), modern[3]
        else:
            raise PackageError(f"--platform {platform}: give a wheel's tag such as manylinux2014_x86_64.")
        if machine not in MACHINES:
            raise PackageError(f"--platform {platform}: the processor is one of {', '.join(MACHINES)}.")
        return cls(python, platform, glibc, machine)

    @property
    def cpython_tag(self) -> str:
        """As in the names of shared objects: `cpython-310`."""
        return "cpython-" + self.python.replace(".", "")

    def marker_environment(self) -> dict[str, str]:
        """What environment markers (PEP 508) are compared with there, not here."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


def find_python(version: str) -> list[str] | None:
    """The command of a CPython of this version here, or None; a name proves nothing, so each candidate is run."""
    for command in _candidates(version):
        try:
            found = subprocess.run(
                [*command, "-c", "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"],
                capture_output=True,
                text=True,
                timeout=60,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if found.returncode == 0 and found.stdout.split() == ["cpython", version]:
            return command
    return None


def _candidates(version: str) -> list[list[str]]:
    """Where a Python of this version may be: here, in PATH, Windows' launcher, uv, pyenv."""
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
