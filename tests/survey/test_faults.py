"""Faults of the database: short ones are waited for, lasting ones are a 503 that loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import smtp
from tests.support.eventually import eventually
from tests.support.mariadb import PrivateServer, private_server
from tests.support.processes import ROOT, Function, Instance, submission

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """A server for this module, with a migrated database, to stop, kill and restart."""
    with private_server() as private:
        private.server.execute("CREATE DATABASE survey CHARACTER SET utf8mb4")
        environment = {**os.environ, **private.server.environment(), "DEBUG": "1"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
        yield private


@pytest.fixture
def running(server: PrivateServer) -> PrivateServer:
    """The server, running, with empty tables and without connections."""
    if server.process is None:
        server.start()
    eventually(lambda: server.server.connections() == [])
    server.server.execute(
        *(f"DELETE FROM survey.survey_{table}" for table in ("outgoingmail", "responseterm", "response", "loginwindow"))
    )
    return server


def function(server: PrivateServer, folder: Path, **variables: str) -> Function:
    return Function(folder, **server.server.environment(), **variables)


def count(server: PrivateServer, table: str) -> int:
    return int(str(server.server.execute(f"SELECT COUNT(*) FROM survey.survey_{table}")[0][0]))


def accepted(instance: Instance, number: int = 0, **fields: Any) -> bool:
    return bool(instance.handle(submission(number, **fields))["statusCode"] == 201)


def test_after_an_event_no_connection_is_open(running: PrivateServer, tmp_path: Path) -> None:
    with function(running, tmp_path) as survey:
        instance = survey.start()
        assert accepted(instance)
        # A connection that stays open is listed for longer than this waits: for 60 seconds, MYSQL_WAIT_TIMEOUT.
        eventually(lambda: running.server.connections() == [])


def test_a_connection_killed_between_two_requests(running: PrivateServer, tmp_path: Path) -> None:
    with function(running, tmp_path, CONN_MAX_AGE="600") as survey:
        instance = survey.start()
        assert accepted(instance, 1)
        [kept] = running.server.connections()
        running.server.execute(f"KILL {kept}")
        assert accepted(instance, 2)
    assert count(running, "response") == 2


def test_a_server_restarted_between_two_requests(running: PrivateServer, tmp_path: Path) -> None:
    with function(running, tmp_path, CONN_MAX_AGE="600") as survey:
        instance = survey.start()
        assert accepted(instance, 1)
        running.stop()
        running.start()
        assert accepted(instance, 2)
    assert count(running, "response") == 2


def test_a_server_that_comes_up_while_the_guest_waits(running: PrivateServer, tmp_path: Path) -> None:
    running.kill()
    with function(running, tmp_path, MYSQL_CONNECT_SECONDS="25") as survey:
        restart = threading.Thread(target=running.start)
        restart.start()
        result = survey.start().handle(submission())
        restart.join()
        assert result["statusCode"] == 201


def test_a_server_that_is_absent_is_503_and_the_next_event_finds_it(running: PrivateServer, tmp_path: Path) -> None:
    running.stop()
    with function(running, tmp_path, MYSQL_CONNECT_SECONDS="1") as survey:
        instance = survey.start()
        result = instance.handle(submission())
        assert result["statusCode"] == 503
        assert int(result["headers"]["Retry-After"]) > 0
        assert result["headers"]["Content-Type"] == "application/problem+json"
        running.start()
        assert accepted(instance)


def test_a_form_gets_its_page_back_with_everything_typed(running: PrivateServer, tmp_path: Path) -> None:
    running.stop()
    event = submission()
    event["headers"] = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
    event["headers"]["host"] = "survey.example.com"
    event["body"] = "name=%E7%8E%8B%E8%8A%B3&phone=13800138000&satisfaction=4&comment=hot&submission_id=visit-1"
    with function(running, tmp_path, MYSQL_CONNECT_SECONDS="0") as survey:
        result = survey.start().handle(event)
    assert result["statusCode"] == 503
    assert result["headers"]["Retry-After"]
    for typed in ('value="王芳"', 'value="13800138000"', ">\nhot</textarea>", 'value="visit-1"', "checked"):
        assert typed in result["body"]


def test_the_platforms_time_limit_bounds_the_wait(running: PrivateServer, tmp_path: Path) -> None:
    running.stop()
    with function(running, tmp_path, MYSQL_CONNECT_SECONDS="3600") as survey:
        result = survey.start().handle(submission(), time_limit_in_ms=2_000)
    assert result["statusCode"] == 503


def test_a_wrong_password_is_a_sentence_in_the_log_and_503_at_once(running: PrivateServer, tmp_path: Path) -> None:
    running.server.execute("CREATE OR REPLACE USER survey IDENTIFIED BY 'right'", "GRANT ALL ON survey.* TO survey")
    variables = {**running.server.environment(), "MYSQL_USER": "survey", "MYSQL_PASSWORD": "wrong"}
    with Function(tmp_path, **variables, MYSQL_CONNECT_SECONDS="3600") as survey:
        assert survey.start().handle(submission())["statusCode"] == 503
        log = [json.loads(line) for line in survey.log.read_text().splitlines()]
    [refused] = [entry for entry in log if entry["event"] == "database.connect_failed"]
    assert (refused["code"], refused["attempts"], refused["request_id"]) == (1045, 1, "test")
    assert "MYSQL_PASSWORD" in refused["reason"]


def test_emoji_are_stored_as_they_are(running: PrivateServer, tmp_path: Path) -> None:
    with function(running, tmp_path) as survey:
        assert accepted(survey.start(), comment="好吃😋 𠮷")
    assert running.server.execute("SELECT HEX(comment) FROM survey.survey_response")[0][0] == (
        "好吃😋 𠮷".encode().hex().upper()
    )


def test_an_instance_frozen_for_longer_than_wait_timeout_serves_requests(
    running: PrivateServer, tmp_path: Path
) -> None:
    with function(running, tmp_path, CONN_MAX_AGE="600", MYSQL_WAIT_TIMEOUT="1") as survey:
        instance = survey.start()
        assert accepted(instance, 1)
        os.kill(instance.pid, signal.SIGSTOP)
        eventually(lambda: running.server.connections() == [])
        os.kill(instance.pid, signal.SIGCONT)
        assert accepted(instance, 2)


def test_a_mail_outlasts_the_drains_database_connection(running: PrivateServer, tmp_path: Path) -> None:
    """As with a MYSQL_WAIT_TIMEOUT that is shorter than the mail server takes."""
    with function(running, tmp_path) as survey:
        assert accepted(survey.start(), email="guest@example.com")

    def drop() -> None:
        [drain] = running.server.connections()
        running.server.execute(f"KILL {drain}")

    mailbox = smtp.Mailbox(before_reply=drop)
    controller = smtp.start(mailbox)
    mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(controller.port)}
    drain = [sys.executable, "manage.py", "drain_outbox"]
    subprocess.run(drain, cwd=ROOT, env={**os.environ, **running.server.environment(), **mail}, check=True)
    controller.stop()
    assert len(mailbox.messages) == 1
    assert running.server.execute("SELECT status, attempts FROM survey.survey_outgoingmail") == [("sent", 1)]


def test_a_wait_timeout_shorter_than_a_mail_may_take_is_found(running: PrivateServer, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env={**os.environ, **running.server.environment(), "MYSQL_WAIT_TIMEOUT": "44"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "FAIL idle connections: MYSQL_WAIT_TIMEOUT=44, but a mail may take 45 s" in run.stdout


def test_a_deadlock_is_tried_once_more(running: PrivateServer, tmp_path: Path, built_lexicon: None) -> None:
    import hashlib

    import pymysql

    where = {"host": "127.0.0.1", "port": running.server.port, "user": "root", "database": "survey"}
    with function(running, tmp_path) as survey:
        instance = survey.start()
        assert accepted(instance, 7)
        other = pymysql.connect(**where, ssl_disabled=True)
        with other.cursor() as cursor:
            # Heavier than the guest's transaction, so that the server rolls the guest's back.
            cursor.execute("CREATE TABLE IF NOT EXISTS weight (n INT)")
            cursor.execute("BEGIN")
            cursor.execute("INSERT INTO weight SELECT seq FROM seq_1_to_500")
            cursor.execute("UPDATE survey_loginwindow SET attempts = attempts + 1")
            results: list[dict[str, Any]] = []
            event = submission(7, submission_id="visit", comment="排队太久")
            guest = threading.Thread(target=lambda: results.append(instance.handle(event)))
            guest.start()
            # Not information_schema's lock tables: their content stays the same while somebody keeps asking.
            waiting = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"
            eventually(lambda: running.server.execute(waiting)[0][1] == "1")
            digest = hashlib.sha256(b"visit").hexdigest()
            # The guest's row; by its key alone, so that the guest's second attempt is not blocked again.
            cursor.execute("SELECT id FROM survey_response WHERE key_digest = %s FOR UPDATE", (digest,))
        other.rollback()
        other.close()
        guest.join()
        log = survey.log.read_text()
    assert [result["statusCode"] for result in results] == [201]
    assert log.count("database.deadlock") == 1
    assert count(running, "response") == 2
    terms_of = "SELECT term FROM survey.survey_responseterm JOIN survey.survey_response r ON response_id = r.id"
    assert running.server.execute(f"{terms_of} WHERE term = '排队' AND r.comment <> ''") == [("排队",)]
