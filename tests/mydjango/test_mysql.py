"""The MySQL backend: how a session is set up, when a connect is tried again, and whether it is encrypted."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import certificates_in
from tests.support.mariadb import PrivateServer, Server, private_server
from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

# Asks the project's own connection, in a process with the project's settings.
ASK = """
import json, django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT @@tx_isolation, @@sql_mode, @@wait_timeout, @@character_set_connection, @@autocommit")
    isolation, mode, wait_timeout, charset, autocommit = cursor.fetchone()
    cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
    cipher = cursor.fetchone()[1]
print(json.dumps([isolation, mode, wait_timeout, charset, autocommit, cipher]))
"""


def start_asking(server: Server, script: str = ASK, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **server.environment("mysql"), "DJANGO_SETTINGS_MODULE": "mydjango.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**environment, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> list[Any]:
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    said: list[Any] = json.loads(out)
    return said


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, server.pem, server.key and the unrelated other.pem."""
    folder = tmp_path_factory.mktemp("certificates")
    certificates_in(folder)
    return folder


@pytest.fixture(scope="module")
def encrypted(certificates: Path) -> Iterator[PrivateServer]:
    """A server that takes TLS."""
    with private_server(f"--ssl-cert={certificates}/server.pem", f"--ssl-key={certificates}/server.key") as server:
        yield server


def test_a_session_is_as_the_project_needs_it(private_mariadb: PrivateServer) -> None:
    isolation, mode, wait_timeout, charset, autocommit, cipher = answer(start_asking(private_mariadb.server))
    assert (isolation, wait_timeout, charset, autocommit, cipher) == ("READ-COMMITTED", 60, "utf8mb4", 1, "")
    assert "STRICT_TRANS_TABLES" in mode


@pytest.mark.parametrize("code", [1040, 1203, 9449, 2013])
def test_a_first_connect_that_fails_is_tried_again(private_mariadb: PrivateServer, code: int) -> None:
    """The stand-in spoils the first connect as the cloud's database does, and passes the next ones on to a real one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(
            target=spoil_the_first, args=(listener, private_mariadb.server.port, code), daemon=True
        ).start()
        port = listener.getsockname()[1]
        assert answer(start_asking(private_mariadb.server, MYSQL_PORT=str(port)))[0] == "READ-COMMITTED"


def spoil_the_first(listener: socket.socket, port: int, code: int) -> None:
    first, _address = listener.accept()
    if code != 2013:  # an error packet in the place of the greeting; else the connection is lost
        body = b"\xff" + struct.pack("<H", code) + b"#HY000not now"
        first.sendall(len(body).to_bytes(3, "little") + b"\x00" + body)
    first.close()
    second, _address = listener.accept()
    with second, socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=pass_on, args=(server, second), daemon=True)
        back.start()
        pass_on(second, server)
        back.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


def test_disabled_means_that_nothing_is_encrypted(encrypted: PrivateServer) -> None:
    assert answer(start_asking(encrypted.server, MYSQL_SSL="disabled"))[-1] == ""


def test_preferred_encrypts_where_the_server_can(encrypted: PrivateServer, private_mariadb: PrivateServer) -> None:
    assert answer(start_asking(encrypted.server, MYSQL_SSL="preferred"))[-1] != ""
    without = private_mariadb
    without.stop()
    without.options = ("--skip-ssl",)
    without.start()
    assert answer(start_asking(without.server, MYSQL_SSL="preferred"))[-1] == ""


def test_a_ca_encrypts_and_refuses_a_server_that_it_did_not_sign(encrypted: PrivateServer, certificates: Path) -> None:
    assert answer(start_asking(encrypted.server, MYSQL_SSL=str(certificates / "ca.pem")))[-1] != ""
    refused = start_asking(encrypted.server, MYSQL_SSL=str(certificates / "other.pem"), MYSQL_CONNECT_SECONDS="0")
    _out, errors = refused.communicate(timeout=60)
    assert refused.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in errors


@pytest.mark.parametrize("choice", ["yes", "/nowhere/ca.pem"])
def test_any_other_choice_stops_the_start_with_a_sentence(private_mariadb: PrivateServer, choice: str) -> None:
    asking = start_asking(private_mariadb.server, MYSQL_SSL=choice)
    _out, errors = asking.communicate(timeout=60)
    assert f"MYSQL_SSL='{choice}' is neither 'disabled' nor 'preferred' nor the file of a CA's certificate" in errors


# Connects while nothing but MYSQL_CONNECT_SECONDS ends the attempt: neither the system nor another option.
CONNECT = """
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["OPTIONS"]["connect_timeout"] = 3600
from django.db import connection
connection.ensure_connection()
"""


@pytest.mark.parametrize("backlog", [0, 1024], ids=["that takes no connect", "that takes one and is silent"])
def test_a_server_ends_the_wait_when_its_seconds_are_over(backlog: int) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener, socket.socket() as first:
        first.connect(listener.getsockname())  # fills a backlog of 0: the next connect gets no reply
        server = Server(*listener.getsockname())
        with start_asking(server, CONNECT, MYSQL_CONNECT_SECONDS="1", MYSQL_READ_TIMEOUT="3600") as asking:
            try:
                _out, errors = asking.communicate(timeout=30)
            finally:
                asking.kill()
    assert errors.count("database.connect_failed") == 1


# A command's query, then a request's, which would take an hour.
ASK_LONG = """
import json, django
django.setup()
from django.db import OperationalError, connection
from django.test import RequestFactory
from mydjango.operations.invocation import InvocationMiddleware
def ask(seconds):
    with connection.cursor() as cursor:
        cursor.execute("SELECT SLEEP(%s)", [seconds])
        return cursor.fetchone()[0]
said = [ask(2.2)]
connection.close()
try:
    InvocationMiddleware(lambda request: ask(3600))(RequestFactory().get("/"))
except OperationalError as error:
    said.append(error.args[0])
print(json.dumps(said))
"""


def test_the_seconds_of_the_connect_do_not_bound_the_queries_after_it(private_mariadb: PrivateServer) -> None:
    """A command's query may take as long as it needs, a request's MYSQL_READ_TIMEOUT."""
    variables = {"MYSQL_CONNECT_SECONDS": "2", "MYSQL_READ_TIMEOUT": "2"}
    assert answer(start_asking(private_mariadb.server, ASK_LONG, **variables)) == [0, 2013]
