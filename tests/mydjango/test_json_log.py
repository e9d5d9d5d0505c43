"""In production a log line is one JSON object, and holds nobody's data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import connection

from tests.support import smtp
from tests.support.processes import Function, environment, manage, submission

pytestmark = pytest.mark.django_db(transaction=True)

PERSONAL = {
    "name": "MarkedName王芳",
    "phone": "13912345678",
    "email": "marked.address@example.com",
    "comment": "MarkedComment太咸了",
}


def test_no_output_holds_what_a_guest_wrote(tmp_path: Path) -> None:
    names = ("MYSQL_HOST", "MYSQL_PORT", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "SQLITE_PATH")
    database = {name: value for name, value in environment().items() if name in names}
    connection.close()
    mailbox = smtp.Mailbox(at_recipient={PERSONAL["email"]: "550 no mailbox marked.address@example.com"})
    controller = smtp.start(mailbox)
    mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(controller.port), "EMAIL_USE_SSL": "0"}
    with Function(tmp_path, **database, MYSQL_CONNECT_SECONDS="0") as survey:
        instance = survey.start()
        accepted = instance.handle(submission(1, **PERSONAL, submission_id="visit"), request_id="request-1")
        answers = [
            accepted,
            instance.handle(submission(1, **PERSONAL, submission_id="visit")),
            instance.handle(submission(1, **{**PERSONAL, "satisfaction": 1}, submission_id="visit")),
            instance.handle(submission(1, **{**PERSONAL, "email": "MarkedName王芳"})),
        ]
        no_base64 = submission(1, **PERSONAL) | {"isBase64Encoded": True, "body": "MarkedName*"}
        answers.append(instance.handle(no_base64, request_id="request-2"))
        log = survey.log.read_text()
    assert [answer["statusCode"] for answer in answers] == [201, 201, 422, 400, 400]
    drain = manage("drain_outbox", DEBUG="0", SECRET_KEY="x" * 50, PUBLIC_URL="http://x.example", **database, **mail)
    output, errors = drain.communicate(timeout=60)
    controller.stop()
    assert "given up 1" in output
    broken = {"MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": "1", "MYSQL_CONNECT_SECONDS": "0"}
    with Function(tmp_path, **broken) as survey:
        unavailable = survey.start().handle(submission(1, **PERSONAL))
        log += survey.log.read_text()
    assert unavailable["statusCode"] == 503
    everything = log + output + errors + json.dumps(answers, ensure_ascii=False)
    for value in (*PERSONAL.values(), "marked.address"):
        assert value not in everything
    entries = [json.loads(line) for line in (log + errors).splitlines()]
    [stored] = [entry for entry in entries if entry["event"] == "submission.accepted"]
    assert stored["request_id"] == "request-1"
    [refused] = [entry for entry in entries if entry["logger"] == "index"]
    assert refused["request_id"] == "request-2"
