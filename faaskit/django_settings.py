"""Django's settings as the function's instances have them, read by a process of the project's Python."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from faaskit import management
from faaskit.errors import FaaskitError

SCRIPT = Path(management.__file__).with_name("settings_report.py")


class SettingsError(FaaskitError):
    """The settings cannot be read; the message is one sentence."""


def read_settings(
    folder: Path, module: str, python: str, variables: Mapping[str, str], host: str = "127.0.0.1"
) -> dict[str, Any]:
    """Return what settings_report.py tells; `host` is the one that requests name. Raises SettingsError."""
    environ = {"DJANGO_SETTINGS_MODULE": module, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    command = [python, str(SCRIPT), host]
    ended = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        raise SettingsError(f"{module} cannot be imported with the variables of serverless.yml: {last}")
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def describe_database(database: Mapping[str, str]) -> str:
    """Return a database as the banner names it: `mysql shop at db.example.com:3306`, `sqlite3 /app/db.sqlite3`."""
    kind = database["engine"].rpartition(".")[2]
    server = ":".join(filter(None, (database["host"], database["port"])))
    return f"{kind} {database['name']}{f' at {server}' if server else ''}"


def describe_mail(report: Mapping[str, Any]) -> str:
    """Return where mail goes: `console`, or `smtp by mail.example.com:465`."""
    parts = report["mail"].split(".")
    kind = parts[-2] if parts[-1] == "EmailBackend" else parts[-1]
    return f"{kind} by {report['mail_server']}" if "smtp" in report["mail"].lower() else kind
