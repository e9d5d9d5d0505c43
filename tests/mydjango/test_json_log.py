"""In production a log line is one JSON object, without personal data."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from pytest_django import Settings

from mydjango.operations.json_log import JSONFormatter
from tests.support import smtp
from tests.support.processes import Function, environment, manage, submission

pytestmark = pytest.mark.django_db(transaction=True)

PERSONAL = {
    "name": "MarkedName王芳",
    "phone": "13912345678",
    "email": "marked.address@example.com",
    "comment": "MarkedComment太咸了",
}


def test_no_output_holds_personal_data(tmp_path: Path) -> None:
    names = ("MYSQL_HOST", "MYSQL_PORT", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "SQLITE_PATH")
    database = {name: value for name, value in environment().items() if name in names}
    connection.close()
    mailbox = smtp.Mailbox(at_recipient={PERSONAL["email"]: "550 no mailbox marked.address@example.com"})
    controller = smtp.start(mailbox)
    mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(controller.port), "EMAIL_USE_SSL": "0"}
    with Function(tmp_path, **database, MYSQL_CONNECT_SECONDS="0") as survey:
        instance = survey.start()
        accepted = instance.handle(submission(1, **PERSONAL, submission_id="visit"), request_id="request-1")
        results = [
            accepted,
            instance.handle(submission(1, **PERSONAL, submission_id="visit")),
            instance.handle(submission(1, **{**PERSONAL, "satisfaction": 1}, submission_id="visit")),
            instance.handle(submission(1, **{**PERSONAL, "email": "MarkedName王芳"})),
        ]
        no_base64 = submission(1, **PERSONAL) | {"isBase64Encoded": True, "body": "MarkedName*"}
        results.append(instance.handle(no_base64, request_id="request-2"))
        log = survey.log.read_text()
    assert [result["statusCode"] for result in results] == [201, 201, 422, 400, 400]
    drain = manage("drain_outbox", DEBUG="0", SECRET_KEY="x" * 50, PUBLIC_URL="http://x.example", **database, **mail)
    output, errors = drain.communicate(timeout=60)
    controller.stop()
    assert "given up 1" in output
    broken = {"MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": "1", "MYSQL_CONNECT_SECONDS": "0"}
    with Function(tmp_path, **broken) as survey:
        unavailable = survey.start().handle(submission(1, **PERSONAL))
        log += survey.log.read_text()
    assert unavailable["statusCode"] == 503
    everything = log + output + errors + json.dumps(results, ensure_ascii=False)
    for value in (*PERSONAL.values(), "marked.address"):
        assert value not in everything
    entries = [json.loads(line) for line in (log + errors).splitlines()]
    [stored] = [entry for entry in entries if entry["event"] == "submission.accepted"]
    assert stored["request_id"] == "request-1"
    [refused] = [entry for entry in entries if entry["logger"] == "index"]
    assert refused["request_id"] == "request-2"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The lines that production would log during the test."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())
    logger = logging.getLogger()
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


def test_the_line_of_a_refused_request_has_its_route_and_no_client_input(
    lines: io.StringIO, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["survey.example.com"]
    settings.DEBUG = False
    marked = "Marked13912345678"
    host = {"host": "survey.example.com"}
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    statuses = [
        client.get(f"/nothing/{marked}", headers=host).status_code,
        client.get(f"/thanks/{marked}", headers=host).status_code,
        client.delete(f"/hello/{marked}", headers=host).status_code,
        client.post(f"/dashboard/login/?{marked}=1", {marked: "x"}, headers=host).status_code,
        client.post("/dashboard/login/", headers={**host, "origin": f"https://{marked}.example"}).status_code,
        client.get("/hello/Tom", headers={"host": f"{marked}.example.com"}).status_code,
        client.get("/hello/Tom", headers={"host": f"{marked}_!"}).status_code,
        client.post(
            f"/hello/?{marked}", marked, content_type=f"multipart/form-data; boundary={marked}!", headers=host
        ).status_code,
        client.generic(
            "POST",
            "/hello/",
            marked + "&" * 1_100_000,
            content_type="application/x-www-form-urlencoded",
            headers=host,
        ).status_code,
    ]
    assert statuses == [404, 404, 405, 403, 403, 400, 400, 400, 400]
    text = lines.getvalue()
    assert "marked" not in text.lower()
    entries = [json.loads(line) for line in text.splitlines()]
    logged = [(entry["event"], entry.get("route")) for entry in entries if entry["logger"].startswith("django.")]
    assert ("Not Found", None) in logged
    assert ("Not Found", "thanks/<slug:reference>") in logged
    assert ("Method Not Allowed", r"^hello/(?P<name>(?s:.+))\Z") in logged
    assert ("Forbidden (CSRF cookie not set.)", "dashboard/login/") in logged
    assert ("Forbidden (Origin checking failed)", "dashboard/login/") in logged
    assert [entry["logger"] for entry in entries].count("django.security.DisallowedHost") >= 2
    assert len(logged) >= len(statuses)


def test_the_line_of_an_internal_error_has_its_route(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: HttpRequest, **arguments: Any) -> None:
        raise RuntimeError("Marked")

    monkeypatch.setattr("survey.guest.views.get_object_or_404", broken)
    assert Client(raise_request_exception=False).get("/thanks/Marked").status_code == 500
    [entry] = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (entry["event"], entry["route"]) == ("Internal Server Error", "thanks/<slug:reference>")
    assert entry["exception"][0]["type"] == "builtins.RuntimeError"
    assert "Marked" not in lines.getvalue()


def test_lines_reach_the_log_during_a_command_and_after_it(tmp_path: Path) -> None:
    names = ("MYSQL_HOST", "MYSQL_PORT", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "SQLITE_PATH")
    database = {name: value for name, value in environment().items() if name in names}
    connection.close()
    with Function(tmp_path, **database) as survey:
        instance = survey.start()
        timer = instance.handle({"Type": "Timer", "Message": "drain_outbox --seconds 45"}, request_id="of-the-timer")
        instance.handle(submission(1), request_id="of-a-guest")
        events = [json.loads(line)["event"] for line in survey.log.read_text().splitlines()]
    assert "outbox.state" in events
    assert "submission.accepted" in events
    assert "outbox.state" not in timer["output"]
