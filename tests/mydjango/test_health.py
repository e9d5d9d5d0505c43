"""`/healthz` is 200 while the database works, and 503 while it is away or lacks migrations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from mydjango.operations.health import migrations


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


@pytest.mark.django_db
def test_healthz_asks_the_database_once(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        client.get("/healthz")


@pytest.mark.django_db
def test_healthz_is_503_while_a_migration_is_missing(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    last = MigrationRecorder.Migration.objects.filter(app="survey").latest("name")
    last.delete()
    response = client.get("/healthz", headers={"accept": "application/json"})
    assert (response.status_code, response.json()["database"]) == (503, "not migrated")
    [record] = [record for record in caplog.records if record.message == "health.database_not_migrated"]
    assert (record.missing, record.first) == (1, f"survey.{last.name}")  # type: ignore[attr-defined]


def test_healthz_is_503_on_a_database_without_tables(tmp_path: Path) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mydjango.settings", "SQLITE_PATH": str(tmp_path / "new")}
    environment.pop("MYSQL_HOST", None)
    script = """
from django.test import Client
import django
django.setup()
response = Client().get("/healthz", headers={"accept": "application/json"})
print(response.status_code, response.json()["database"])
"""
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == "503 not migrated\n"


def test_the_migrations_are_those_that_django_loads() -> None:
    assert migrations() == set(MigrationLoader(None).disk_migrations)
