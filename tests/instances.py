"""Processes of their own over the database of the test: what a platform starts, freezes and kills."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def environment(**variables: str) -> dict[str, str]:
    """The variables of a process that shares the running test's database and mail server."""
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
