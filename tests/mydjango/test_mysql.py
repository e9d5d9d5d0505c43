"""The MySQL backend: the settings of a session, the retries of a connect, and TLS."""

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

# Run in a process with the project's settings: prints those of its database session.
SESSION = """
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


# Prints the modules that Python ran a second time under MySQLdb's name.
COPIES = """
import json, sys, django
django.setup()
from django.db import connection
connection.cursor().close()
names = [name for name in sys.modules if name.startswith("MySQLdb.")]
print(json.dumps([name for name in names if sys.modules[name] is not sys.modules["pymysql" + name[len("MySQLdb"):]]]))
"""


def start(server: Server, script: str = SESSION, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **server.environment("mysql"), "DJANGO_SETTINGS_MODULE": "mydjango.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**environment, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def printed(process: subprocess.Popen[str]) -> list[Any]:
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    values: list[Any] = json.loads(out)
    return values


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, server.pem, server.key and the unrelated other.pem."""
    folder = tmp_path_factory.mktemp("certificates")
    certificates_in(folder)
    return folder


@pytest.fixture(scope="module")
def encrypted(certificates: Path) -> Iterator[PrivateServer]:
    """A server with TLS."""
    with private_server(f"--ssl-cert={certificates}/server.pem", f"--ssl-key={certificates}/server.key") as server:
        yield server


def test_a_session_is_as_the_project_needs_it(private_mariadb: PrivateServer) -> None:
    isolation, mode, wait_timeout, charset, autocommit, cipher = printed(start(private_mariadb.server))
    assert (isolation, wait_timeout, charset, autocommit, cipher) == ("READ-COMMITTED", 60, "utf8mb4", 1, "")
    assert "STRICT_TRANS_TABLES" in mode


def test_no_module_of_pymysql_is_there_twice(private_mariadb: PrivateServer) -> None:
    assert printed(start(private_mariadb.server, COPIES)) == []


@pytest.mark.parametrize("code", [1040, 1203, 9449, 2013])
def test_a_failed_connect_is_retried(private_mariadb: PrivateServer, code: int) -> None:
    """The stand-in fails the first connect as the cloud's database does, and forwards the second to a real server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=fail_the_first, args=(listener, private_mariadb.server.port, code), daemon=True).start()
        port = listener.getsockname()[1]
        assert printed(start(private_mariadb.server, MYSQL_PORT=str(port)))[0] == "READ-COMMITTED"


def fail_the_first(listener: socket.socket, port: int, code: int) -> None:
    first, _address = listener.accept()
    if code != 2013:  # an error packet instead of the greeting; 2013 is a lost connection
        body = b"\xff" + struct.pack("<H", code) + b"#HY000not now"
        first.sendall(len(body).to_bytes(3, "little") + b"\x00" + body)
    first.close()
    second, _address = listener.accept()
    with second, socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=forward, args=(server, second), daemon=True)
        back.start()
        forward(second, server)
        back.join()


def forward(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


def test_disabled_does_not_encrypt(encrypted: PrivateServer) -> None:
    assert printed(start(encrypted.server, MYSQL_SSL="disabled"))[-1] == ""


def test_preferred_encrypts_where_the_server_can(encrypted: PrivateServer, private_mariadb: PrivateServer) -> None:
    assert printed(start(encrypted.server, MYSQL_SSL="preferred"))[-1] != ""
    without = private_mariadb
    without.stop()
    without.options = ("--skip-ssl",)
    without.start()
    assert printed(start(without.server, MYSQL_SSL="preferred"))[-1] == ""


def test_a_ca_encrypts_and_refuses_a_server_with_another_ca(encrypted: PrivateServer, certificates: Path) -> None:
    assert printed(start(encrypted.server, MYSQL_SSL=str(certificates / "ca.pem")))[-1] != ""
    refused = start(encrypted.server, MYSQL_SSL=str(certificates / "other.pem"), MYSQL_CONNECT_SECONDS="0")
    _out, errors = refused.communicate(timeout=60)
    assert refused.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in errors


@pytest.mark.parametrize("choice", ["yes", "/nowhere/ca.pem"])
def test_any_other_choice_stops_the_start_with_a_sentence(private_mariadb: PrivateServer, choice: str) -> None:
    process = start(private_mariadb.server, MYSQL_SSL=choice)
    _out, errors = process.communicate(timeout=60)
    assert f"MYSQL_SSL='{choice}' is neither 'disabled' nor 'preferred' nor the file of a CA's certificate" in errors


# Connects with no other limit than MYSQL_CONNECT_SECONDS.
CONNECT = """
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["OPTIONS"]["connect_timeout"] = 3600
from django.db import connection
connection.ensure_connection()
"""


@pytest.mark.parametrize("backlog", [0, 1024], ids=["unreachable", "silent after the connect"])
def test_connecting_ends_after_its_seconds_with_a_server_that_is(backlog: int) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener, socket.socket() as first:
        first.connect(listener.getsockname())  # fills a backlog of 0: the next connect gets no reply
        server = Server(*listener.getsockname())
        with start(server, CONNECT, MYSQL_CONNECT_SECONDS="1", MYSQL_READ_TIMEOUT="3600") as process:
            try:
                _out, errors = process.communicate(timeout=30)
            finally:
                process.kill()
    assert errors.count("database.connect_failed") == 1


# A command's query of 2.2 seconds, then a request's of an hour.
LONG_QUERIES = """
import json, django
django.setup()
from django.db import OperationalError, connection
from django.test import RequestFactory
from mydjango.operations.invocation import InvocationMiddleware
def sleep(seconds):
    with connection.cursor() as cursor:
        cursor.execute("SELECT SLEEP(%s)", [seconds])
        return cursor.fetchone()[0]
results = [sleep(2.2)]
connection.close()
try:
    InvocationMiddleware(lambda request: sleep(3600))(RequestFactory().get("/"))
except OperationalError as error:
    results.append(error.args[0])
print(json.dumps(results))
"""


def test_the_seconds_of_the_connect_do_not_limit_the_queries_after_it(private_mariadb: PrivateServer) -> None:
    """A command's query may take as long as it needs, a request's MYSQL_READ_TIMEOUT."""
    variables = {"MYSQL_CONNECT_SECONDS": "2", "MYSQL_READ_TIMEOUT": "2"}
    assert printed(start(private_mariadb.server, LONG_QUERIES, **variables)) == [0, 2013]
