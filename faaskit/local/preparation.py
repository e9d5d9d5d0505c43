"""What a Django project needs before its first instance starts, and a deployment does otherwise."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from faaskit import management, project
from faaskit.local.local_function import LocalFunction, LocalFunctionError, uses_own_database

SCRIPT = Path(management.__file__).with_name("prepare.py")


def prepare_project(options: argparse.Namespace, function: LocalFunction) -> None:
    """Run the project's `prepare` commands and migrate, with the variables of the instances.

    A database that a variable names is not migrated. Raises ProjectError and LocalFunctionError.
    """
    launch = function.launch
    description = project.read(launch.folder)
    if not description.settings:
        return
    commands = [*description.prepare, *(["--migrate-sqlite"] if uses_own_database(options) else [])]
    if not commands:
        return
    environ = launch.variables | {"DJANGO_SETTINGS_MODULE": description.settings}
    ended = subprocess.run(
        [launch.python, str(SCRIPT), *commands], cwd=launch.folder, env=environ, capture_output=True, text=True
    )
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        raise LocalFunctionError(f"The project cannot be prepared ({'; '.join(commands)}): {last}")
