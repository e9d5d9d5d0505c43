"""`/healthz` tells whether the database answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client


@pytest.mark.django_db
def test_healthz_is_ok_when_the_database_answers(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_healthz_is_503_when_the_database_does_not(tmp_path: Path) -> None:
    script = """
import json, django
django.setup()
from django.test import Client
answer = Client().get("/healthz", headers={"accept": "application/json"})
print(json.dumps([answer.status_code, answer["Content-Type"], answer["Retry-After"], answer.json()["database"]]))
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mydjango.settings"}
    environment.pop("MYSQL_HOST", None)
    environment["SQLITE_PATH"] = str(tmp_path / "missing" / "survey.sqlite3")
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == [503, "application/problem+json", "5", "down"]
    assert "health.database_unreachable" in run.stderr
