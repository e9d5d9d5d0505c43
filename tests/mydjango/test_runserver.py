"""`manage.py runserver` is enough to develop: it runs the jobs, and says when the database is not migrated."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mydjango.http.unavailable import NOT_MIGRATED
from tests.support.eventually import eventually
from tests.support.local_servers import ROOT, Server, free_port

SUBMISSION = {"name": "Tom", "phone": "1234567890", "satisfaction": 5, "email": "tom@example.com"}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SQLITE_PATH", str(tmp_path / "db.sqlite3"))
    return tmp_path / "db.sqlite3"


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    server = Server(["manage.py", "runserver", f"127.0.0.1:{free_port()}", "--noreload"], {"DEBUG": "1"})
    yield server
    server.stop()


@pytest.mark.slow
def test_before_migrate_a_submission_gets_a_sentence_and_after_it_a_mail(server: Server) -> None:
    client = server.client()
    headers, body = [("Content-Type", "application/json")], json.dumps(SUBMISSION).encode()
    response = client.request("POST", "/submitSurvey", headers, body)
    assert response.status == 503
    assert json.loads(response.text)["detail"] == NOT_MIGRATED
    assert "unapplied migration" in "".join(server.out + server.err)

    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
    assert client.request("POST", "/submitSurvey", headers, body).status == 201
    eventually(lambda: "To: tom@example.com" in "".join(server.out))
    assert "Traceback" not in "".join(server.err)
