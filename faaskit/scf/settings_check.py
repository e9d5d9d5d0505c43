"""The values of a function's variables, tried on the project's Django settings before anything is deployed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from faaskit.scf import planned
from faaskit.scf.api import DeployError

FOLDERS = {"/var/user/": "function", "/opt/": "layer"}  # on the platform: in build/
# Missing packages and files say nothing about the values: this machine is not the platform.
CODE = """\
import importlib, sys
try:
    importlib.import_module(sys.argv[1])
except (ImportError, OSError):
    pass
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def check(folder: Path, settings: str, environment: Mapping[str, str]) -> None:
    """Import the settings module with the function's variables; raises DeployError where it refuses them."""
    build = folder / "build"
    variables = {name: _here(value, build) for name, value in environment.items()}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE, settings],
        cwd=build / "function" if (build / "function").is_dir() else folder,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ},
            **{"PUBLIC_URL": planned.URL, "TENCENTCLOUD_RUNENV": "SCF"},
            **variables,
            "PYTHONPATH": str(folder.resolve()),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DeployError(f"{settings} refuses a variable of serverless.yml: {done.stderr.strip()}")


def _here(value: str, build: Path) -> str:
    """Return a path on the platform as the one of the same file here."""
    for prefix, name in FOLDERS.items():
        if value.startswith(prefix):
            return str((build / name).resolve() / value.removeprefix(prefix))
    return value
