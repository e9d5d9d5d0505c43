"""The project as `manage.py package` builds it, and as it is usually uploaded: copied folders and `pip install -t`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.servers import ROOT
from faaskit.package import build
from faaskit.package.target import Target, find_python


def target_python() -> list[str]:
    """Return the command of the Python that ships; SystemExit where there is none."""
    return find_python("3.10") or sys.exit("Python 3.10 is what ships, and there is none here.")


def packaged(folder: Path) -> build.Package:
    """Build the package."""
    return build.build(ROOT, folder, Target.parse("3.10", "manylinux2014_x86_64"), print)


def plain(folder: Path, *peers: str) -> None:
    """Copy the project to `folder/function`, and install its requirements and `peers` into `folder/layer` once."""
    shutil.rmtree(folder / "function", ignore_errors=True)
    for name in ("mydjango", "survey"):
        shutil.copytree(ROOT / name, folder / "function" / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ("index.py", "manage.py"):
        shutil.copy(ROOT / name, folder / "function")
    if not (folder / "layer").exists():
        print("Installing the packages with pip install -t.")
        command = [*target_python(), "-m", "pip", "install", "--quiet", "-t", str(folder / "layer")]
        subprocess.run([*command, "-r", str(ROOT / "requirements.txt"), *peers], check=True, stderr=subprocess.DEVNULL)
