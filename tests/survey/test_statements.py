"""How many statements one submission sends to MariaDB, as the server's general log counts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.mariadb import PrivateServer, Server
from tests.support.processes import ROOT, manage

pytestmark = pytest.mark.slow

SUBMISSION = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}
# With a low score, so that the branch gets an alert beside the guest's receipt.
FULL = {**SUBMISSION, "satisfaction": 1, "comment": "服务员态度很好", "email": "tom@example.com", "branch": "sh01"}
HANDLE = """
import json, sys, index
print([index.main_handler(event, {})["statusCode"] for event in json.loads(sys.argv[1])])
"""


def event(values: dict[str, Any], address: str) -> dict[str, Any]:
    headers = {"host": "localhost", "content-type": "application/json"}
    context = {"sourceIp": address}
    body = json.dumps(values)
    return {"httpMethod": "POST", "path": "/submitSurvey", "headers": headers, "requestContext": context, "body": body}


def statements(server: Server, first_id: int) -> list[list[str]]:
    """Return the statements of each connection after `first_id`, without this function's own.

    Without the reading of the questions too, which a process does once a minute (survey/chain.py).
    """
    server.execute("SET GLOBAL general_log=0")
    rows = server.execute(
        "SELECT thread_id, CONVERT(argument USING utf8mb4) FROM mysql.general_log"
        f" WHERE command_type IN ('Query', 'Execute', 'Prepare') AND thread_id > {first_id} ORDER BY event_time"
    )
    sent: dict[object, list[str]] = {}
    for thread, statement in rows:
        if "FROM survey_question q" not in str(statement):
            sent.setdefault(thread, []).append(str(statement))
    return [of_one for of_one in sent.values() if "SET GLOBAL general_log=0" not in of_one]


def test_a_submission_sends_few_statements(private_mariadb: PrivateServer) -> None:
    """Connection set-up included. A later submission of an address sends three less than its first one of the hour."""
    server = private_mariadb.server
    server.execute("CREATE DATABASE survey CHARACTER SET utf8mb4")
    environment = {**os.environ, **server.environment(), "DEBUG": "0", "SECRET_KEY": "x", "ALLOWED_HOSTS": "localhost"}
    environment["PUBLIC_URL"] = "http://localhost"
    _output, errors = manage("migrate", "--verbosity=0", **environment).communicate()
    assert not errors
    server.execute(
        "INSERT INTO survey.survey_branch (code, name, name_en, manager_email, is_open)"
        " VALUES ('sh01', '人民广场店', '', 'manager@example.com', 1)"
    )
    server.execute(
        "INSERT INTO survey.survey_question (kind, `key`, label, label_en, position, is_retired)"
        " VALUES ('aspect', 'parking', '停车', '', 1, 0), ('problem', 'loud', '太吵', '', 1, 0)"
    )
    events = [
        event(SUBMISSION, "198.51.100.1"),
        event(SUBMISSION, "198.51.100.2"),
        event(FULL, "198.51.100.3"),
        event(SUBMISSION, "198.51.100.1"),
        event({**FULL, "own": {"parking": 2, "loud": True}}, "198.51.100.4"),
        event({**SUBMISSION, "submission_id": "0b6f3a52-8c0e-4f8e-9a53-3f6f6f0f5f10"}, "198.51.100.1"),
    ]
    ((connection_id,),) = server.execute("SET GLOBAL log_output='TABLE'", "SELECT CONNECTION_ID()")
    server.execute("SET GLOBAL general_log=1")
    command = [sys.executable, "-c", HANDLE, json.dumps(events)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout == "[201, 201, 201, 201, 201, 201]\n", done.stderr
    sent = statements(server, int(str(connection_id)) + 1)
    first_of_process, first_of_address, full, later, full_with_own, later_with_key = sent
    # One of each asks whether its day is counted already, and whether a submission with its key is erased.
    assert len(first_of_process) <= 9, first_of_process
    assert len(first_of_address) <= 8, first_of_address
    # One queues the messages of robots about a low score.
    assert len(full) <= 12, full
    assert len(later) <= 5, later
    assert len(later_with_key) == len(later), later_with_key
    assert len(full_with_own) <= len(full) + 1, full_with_own
    assert server.execute("SELECT COUNT(*) FROM survey.survey_questionvalue") == [(2,)]
    kinds = server.execute("SELECT kind FROM survey.survey_outgoingmail ORDER BY kind")
    assert kinds == [("alert",), ("alert",), ("receipt",), ("receipt",)]
