"""The survey in a Web function: four guests at once in one instance get their own responses, and no connection more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.local_servers import ROOT, Client, rungateway
from tests.support.mariadb import Server, private_server

pytestmark = pytest.mark.slow

THREADS, GUESTS, ROUNDS = 4, 12, 6
JSON = [("Content-Type", "application/json")]


@pytest.fixture(scope="module")
def database(built_lexicon: None) -> Iterator[Server]:
    with private_server() as private:
        server = private.server
        server.execute("CREATE DATABASE survey CHARACTER SET utf8mb4")
        environment = {**os.environ, **server.environment(), "DEBUG": "1"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
        yield server


@pytest.fixture
def client(database: Server) -> Iterator[Client]:
    variables = {**database.environment(), "SUBMISSIONS_PER_HOUR": "0"}
    server = rungateway("--gateway", "web", "--no-timers", "--memory", "0", "--instances", "1", environ=variables)
    yield server.client()
    server.stop()


def test_guests_at_once_in_one_instance_get_their_own_responses(client: Client, database: Server) -> None:
    references: dict[str, str] = {}

    def visit(number: int) -> None:
        """Send a request of each kind, beginning with another one than the neighbours, each with its nonce."""
        nonce = uuid.uuid4().hex[:12]
        kinds = [hello, analyse, page, submit, login]
        for kind in kinds[number % len(kinds) :] + kinds[: number % len(kinds)]:
            kind(nonce)

    def hello(nonce: str) -> None:
        assert client.request("GET", f"/hello/?name={nonce}").text == f"Hello world ! {nonce}"

    def analyse(nonce: str) -> None:
        body = json.dumps({"text": f"服务员 {nonce} 态度很好"}).encode()
        response = client.request("POST", "/jieba/", JSON, body)
        assert nonce in json.loads(response.body)["words"]

    def page(nonce: str) -> None:
        assert "<form" in client.request("GET", f"/?lang=en&n={nonce}").text

    def submit(nonce: str) -> None:
        values = {"name": nonce, "phone": "13800138000", "satisfaction": 5, "comment": f"味道很好 {nonce}"}
        response = client.request("POST", "/submitSurvey", JSON, json.dumps(values).encode())
        assert response.status == 201, response.text
        references[nonce] = json.loads(response.body)["reference"]

    def login(nonce: str) -> None:
        assert "<form" in client.request("GET", f"/dashboard/login/?next=/dashboard/{nonce}").text

    database.execute("FLUSH STATUS")  # forgets the connections of the migration
    with ThreadPoolExecutor(GUESTS) as threads:  # the first of them meet a cold instance together
        list(threads.map(visit, range(GUESTS * ROUNDS)))
    [(_name, most)] = database.execute("SHOW GLOBAL STATUS LIKE 'Max_used_connections'")
    stored = dict(database.execute("SELECT name, reference FROM survey.survey_response"))
    assert stored == references
    assert len(references) == GUESTS * ROUNDS
    assert int(most) <= THREADS + 1  # and the one that asks
