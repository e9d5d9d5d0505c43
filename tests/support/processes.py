"""Separate processes on the database of the test: management commands, and instances of the function."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def environment(**variables: str) -> dict[str, str]:
    """Return the variables of a process that shares the running test's database and mail server."""
    database = connection.settings_dict
    if connection.vendor == "mysql":
        names = {"HOST": "HOST", "PORT": "PORT", "USER": "USER", "PASSWORD": "PASSWORD", "NAME": "DATABASE"}
        named = {f"MYSQL_{theirs}": str(database[ours]) for ours, theirs in names.items()}
    else:
        named = {"SQLITE_PATH": str(database["NAME"])}
    if settings.EMAIL_HOST:
        named |= {"EMAIL_HOST": settings.EMAIL_HOST, "EMAIL_PORT": str(settings.EMAIL_PORT)}
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "mydjango.settings", **named, **variables}


def manage(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start `manage.py` with these arguments."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Instance:
    """One instance of the function, which handles one event at a time."""

    def __init__(self, path: str) -> None:
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(path)
        self.lines = self.connection.makefile("rw", encoding="utf-8")
        self.pid = 0

    def handle(self, event: dict[str, Any], **context: Any) -> dict[str, Any]:
        """Return the result of an event. `context` may set the platform's request id and time limit."""
        self.lines.write(json.dumps({"event": event, "context": context}) + "\n")
        self.lines.flush()
        line = json.loads(self.lines.readline())
        self.pid = line["pid"]
        result: dict[str, Any] = line["result"]
        return result

    def close(self) -> None:
        self.lines.close()
        self.connection.close()


class Function:
    """The function on a local platform, which starts instances with these variables."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.instances: list[Instance] = []
        self.path = str(folder / f"function-{id(self)}.socket")
        self.log = folder / f"function-{id(self)}.log"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        production = {"DEBUG": "0", "SECRET_KEY": "test" * 16, "PUBLIC_URL": "http://survey.example.com"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.zygote", self.path],
                cwd=ROOT,
                env={**kept, **production, **variables},
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        if self.process.stdout.readline() != b"ready\n":
            raise RuntimeError(self.log.read_text())

    def __enter__(self) -> Function:
        return self

    def __exit__(self, *exception: object) -> None:
        for instance in self.instances:
            instance.close()
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def start(self) -> Instance:
        instance = Instance(self.path)
        self.instances.append(instance)
        return instance


def submission(number: int = 0, **fields: Any) -> dict[str, Any]:
    """Return the event of a `POST /submitSurvey`, with a client address for each number."""
    body = {"name": f"Guest {number}", "phone": "13800138000", "satisfaction": 1 + number % 5, **fields}
    return {
        "httpMethod": "POST",
        "path": "/submitSurvey",
        "headers": {"content-type": "application/json", "host": "survey.example.com"},
        "requestContext": {"sourceIp": f"198.51.{number // 250}.{number % 250}"},
        "body": json.dumps(body),
    }
