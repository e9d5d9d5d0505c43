"""`/healthz` is 200 while the database works and 503 while it is away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client


@pytest.mark.django_db
def test_healthz_is_ok_while_the_database_works(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "database": "ok"})
    assert "no-store" in response["Cache-Control"]


def test_healthz_is_503_while_the_database_is_away(tmp_path: Path) -> None:
    script = """
import json, django
django.setup()
from django.test import Client
response = Client().get("/healthz", headers={"accept": "application/json"})
problem = response.json()
print(json.dumps([response.status_code, response["Content-Type"], response["Retry-After"], problem["database"]]))
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mydjango.settings"}
    environment.pop("MYSQL_HOST", None)
    environment["SQLITE_PATH"] = str(tmp_path / "missing" / "survey.sqlite3")
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == [503, "application/problem+json", "5", "down"]
    assert "health.database_unreachable" in run.stderr
