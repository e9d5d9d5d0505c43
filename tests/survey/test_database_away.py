"""While the database is away, each request and each command waits for it once, however many queries it makes."""

from __future__ import annotations

import json
import re
import select
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

import survey.doctor  # noqa: F401  (registers its checks)
from mydjango.operations import doctor
from tests.support.processes import Function, manage

# Nobody listens at port 1. With 0 seconds a wait is one attempt, and its end is one line in the log.
AWAY = {"MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": "1", "MYSQL_CONNECT_SECONDS": "0"}
WAITED = "database.connect_failed"
TOKEN = "a" * 32
# What every form of the project needs, so that each view gets as far as the database.
TYPED = {
    "name": "Tom",
    "phone": "13800138000",
    "satisfaction": "4",
    "reference": "ABCDEFGH",
    "username": "tom",
    "password": "secret",
    "email": "tom@example.com",
}
NEED_DATABASE = {
    "GET /s/1",
    "POST /s/1",
    "POST /submitSurvey",
    "GET /thanks/1",
    "POST /erase",
    "GET /healthz",
    "POST /dashboard/login/",
    "POST /dashboard/password/forgotten/",
    "GET /dashboard/",
    "GET /dashboard/export.csv",
    "GET /admin/survey/submission/",
}


def paths(patterns: list[URLPattern | URLResolver], parent: str = "/") -> Iterator[str]:
    """Every path of the project, 1 for each parameter."""
    for pattern in patterns:
        path = parent + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from paths(pattern.url_patterns, path)
        elif "(?" not in path:
            yield re.sub(r"<(\w+:)?\w+>", "1", path)


def event(method: str, path: str) -> dict[str, Any]:
    """A request of a browser that has been logged in."""
    headers = {
        "host": "survey.example.com",
        "accept": "text/html",
        "cookie": f"sessionid={TOKEN}; csrftoken={TOKEN}",
        "x-csrftoken": TOKEN,
        "content-type": "application/x-www-form-urlencoded",
    }
    body = urlencode(TYPED) if method == "POST" else ""
    source = {"sourceIp": "198.51.100.7"}
    return {"httpMethod": method, "path": path, "headers": headers, "requestContext": source, "body": body}


def test_every_page_waits_once(tmp_path: Path) -> None:
    # A set: the admin's login page stands for Django's at the same path.
    requests = [(method, path) for path in set(paths(get_resolver().url_patterns)) for method in ("GET", "POST")]
    with Function(tmp_path, **AWAY) as survey:
        instance = survey.start()
        ids = {f"request-{number}": f"{method} {path}" for number, (method, path) in enumerate(requests)}
        statuses = {
            ids[request_id]: instance.handle(event(*ids[request_id].split()), request_id=request_id)["statusCode"]
            for request_id in ids
        }
        log = [json.loads(line) for line in survey.log.read_text().splitlines()]
    unavailable = {request for request, status in statuses.items() if status == 503}
    assert unavailable >= NEED_DATABASE
    waits = Counter(ids[entry["request_id"]] for entry in log if entry["event"] == WAITED)
    assert waits == dict.fromkeys(unavailable, 1)
    assert 500 not in statuses.values()


def test_a_json_submission_waits_once(tmp_path: Path) -> None:
    submission = event("POST", "/submitSurvey")
    submission["headers"] |= {"content-type": "application/json", "accept": "application/json"}
    with Function(tmp_path, **AWAY) as survey:
        instance = survey.start()
        for fields in ({}, {"branch": "north"}):
            body = {"name": "Tom", "phone": "13800138000", "satisfaction": 4, **fields}
            assert instance.handle({**submission, "body": json.dumps(body)})["statusCode"] == 503
        assert survey.log.read_text().count(WAITED) == 2


@pytest.mark.parametrize(
    "command", ["doctor", "drain_outbox", "update_figures", "erase_submissions --older-than 1", "migrate", "seed_demo"]
)
def test_every_command_waits_once(command: str) -> None:
    _output, errors = manage(*command.split(), **AWAY).communicate(timeout=60)
    assert errors.count(WAITED) == 1


def test_doctor_does_not_query_a_database_again_that_is_away() -> None:
    output, _errors = manage("doctor", **AWAY).communicate(timeout=60)
    lines = [line for line in output.splitlines() if line.startswith(("ok ", "FAIL"))]
    assert len(lines) == len(doctor.CHECKS)
    assert "FAIL database: the database does not answer (error 2003); its log line says what to check" in lines
    for topic in ("isolation", "migrations", "mail queue", "last delivery", "last erasure"):
        assert f"FAIL {topic}: skipped: the database does not answer" in lines
    assert any(line.startswith("ok   temporary folder: ") for line in lines)


def test_doctor_prints_each_line_as_it_knows_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        port = str(listener.getsockname()[1])
        process = manage("doctor", MYSQL_HOST="127.0.0.1", MYSQL_PORT=port, MYSQL_CONNECT_SECONDS="3600")
        connection, _address = listener.accept()  # it waits for the greeting now
        with connection:
            assert process.stdout is not None
            printed, _writable, _failed = select.select([process.stdout], [], [], 0)
            process.kill()
            output, _errors = process.communicate()
    assert printed
    assert [line.split(":")[0] for line in output.splitlines()] == ["ok   settings"]
