"""One log line a request: where it went, what came of it, what it cost, and nothing of the guest's."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from mydjango.operations import metrics
from tests.support.chain import Chain
from tests.support.processes import Function, environment, submission

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def served(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that returns the fields of the lines so far."""
    caplog.set_level(logging.INFO, metrics.__name__)
    return lambda: [vars(record) for record in caplog.records if record.name == metrics.__name__]


def test_the_route_is_the_pattern_and_never_the_path(
    client: Client, chain: Chain, served: Callable[[], list[dict[str, Any]]]
) -> None:
    for path in (
        f"/s/{chain.north.code}",
        "/thanks/Marked",
        "/erase/Marked",
        "/Marked",
        "/static/Marked.css",
        "/hello/Marked",
    ):
        client.get(path)
    client.get("/dashboard/responses/Marked/")
    found = [(line["route"], line["status"]) for line in served()]
    assert ("/s/<slug:code>", 200) in found
    assert ("/thanks/<slug:reference>", 404) in found
    assert ("/static/", 404) in found
    assert (metrics.UNKNOWN, 404) in found
    assert len(found) == 7
    assert "Marked" not in json.dumps(found)
    assert chain.north.code not in json.dumps(found)


def test_a_line_counts_the_statements_of_its_own_request(
    client: Client, chain: Chain, served: Callable[[], list[dict[str, Any]]], django_assert_num_queries: Any
) -> None:
    connection.close()
    with django_assert_num_queries(1):
        client.get(f"/s/{chain.north.code}")
    client.get("/hello/Tom")
    client.get(f"/s/{chain.north.code}")
    assert [line["queries"] for line in served()] == [1, 0, 1]


def test_a_failing_view_has_a_line_too(
    client: Client, served: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **named: object) -> None:
        raise RuntimeError("Marked")

    monkeypatch.setattr("survey.guest.views.get_object_or_404", broken)
    client.raise_request_exception = False
    client.get("/thanks/Marked")
    assert [(line["route"], line["status"]) for line in served()] == [("/thanks/<slug:reference>", 500)]


def test_production_logs_one_line_for_each_request_of_an_instance(tmp_path: Path) -> None:
    names = ("MYSQL_HOST", "MYSQL_PORT", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "SQLITE_PATH")
    database = {name: value for name, value in environment().items() if name in names}
    connection.close()
    page = {"httpMethod": "GET", "path": "/", "headers": {"host": "survey.example.com"}}
    with Function(tmp_path, **database) as survey:
        instance = survey.start()
        instance.handle(submission(1, phone="13912345678"), request_id="request-1")
        instance.handle(page, request_id="request-2")
        lines = [json.loads(line) for line in survey.log.read_text().splitlines()]
    # The local platform starts instances from a process that has served a request: theirs are warm.
    cold, first, second = [line for line in lines if line["event"] == "request.served"]
    assert cold["start"] == "cold"
    assert (first["route"], first["status"], first["start"]) == ("/submitSurvey", 201, "warm")
    assert (second["route"], second["status"], second["start"]) == ("/", 200, "warm")
    assert (first["request_id"], second["request_id"]) == ("request-1", "request-2")
    assert first["queries"] > 0
    assert second["queries"] == 0
    assert first["ms"] > 0
    assert 10 < first["memory_mb"] <= second["memory_mb"]
    assert "13912345678" not in json.dumps(lines)
