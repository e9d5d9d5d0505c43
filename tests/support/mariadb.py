"""A MariaDB server for the tests: the one that TEST_MYSQL_HOST names, or a private one to kill and restart."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pymysql
import pytest

START_TIMEOUT = 60  # seconds


class Unavailable(Exception):
    """No server is available; the message says what to set or install."""


@dataclass(frozen=True)
class Server:
    """Address and administrator of a MariaDB server."""

    host: str
    port: int
    user: str = "root"
    password: str = ""

    def environment(self, database: str = "survey") -> dict[str, str]:
        """Return the project's variables for this server."""
        return {
            "MYSQL_HOST": self.host,
            "MYSQL_PORT": str(self.port),
            "MYSQL_USER": self.user,
            "MYSQL_PASSWORD": self.password,
            "MYSQL_DATABASE": database,
        }

    def named(self) -> dict[str, str]:
        """Return the variables that `named_server` reads."""
        return {
            "TEST_MYSQL_HOST": self.host,
            "TEST_MYSQL_PORT": str(self.port),
            "TEST_MYSQL_USER": self.user,
            "TEST_MYSQL_PASSWORD": self.password,
        }

    def execute(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements as the administrator and return the rows of the last one."""
        connection = pymysql.connect(
            host=self.host, port=self.port, user=self.user, password=self.password, autocommit=True, ssl_disabled=True
        )
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def connections(self) -> list[object]:
        """Return the ids of the connections to the database `survey`.

        The server may list a connection for a moment after its client has closed it.
        """
        rows = self.execute("SELECT id FROM information_schema.processlist WHERE db = 'survey'")
        return [row[0] for row in rows]


def named_server() -> Server | None:
    """Return the server of TEST_MYSQL_HOST, _PORT, _USER and _PASSWORD, or None where TEST_MYSQL_HOST is not set."""
    host = os.environ.get("TEST_MYSQL_HOST")
    if not host:
        return None
    return Server(
        host=host,
        port=int(os.environ.get("TEST_MYSQL_PORT", "3306")),
        user=os.environ.get("TEST_MYSQL_USER", "root"),
        password=os.environ.get("TEST_MYSQL_PASSWORD", ""),
    )


@dataclass
class PrivateServer:
    """A `mariadbd` in a temporary folder, on a free port, with the server's default settings."""

    options: tuple[str, ...] = ()
    folder: Path = field(init=False)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    server: Server = field(init=False)

    def __enter__(self) -> PrivateServer:
        if not (shutil.which("mariadbd") and shutil.which("mariadb-install-db")):
            raise Unavailable("no MariaDB: set TEST_MYSQL_HOST or install Debian's mariadb-server")
        self.folder = Path(tempfile.mkdtemp(prefix="survey-mariadb-"))
        # In /tmp a starting server would remove the temporary tables of other servers, and they its own.
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data", f"--tmpdir={self.folder}"]
        subprocess.run(
            [*install, "--skip-test-db", "--auth-root-authentication-method=normal", *self._user()],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        # Chosen last, since another process may take a free port.
        self.server = Server("127.0.0.1", _free_port())
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it accepts queries. Raises Unavailable with the end of its log."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    "mariadbd",
                    "--no-defaults",
                    f"--datadir={self.folder}/data",
                    f"--tmpdir={self.folder}",
                    f"--socket={self.folder}/socket",
                    f"--pid-file={self.folder}/pid",
                    f"--port={self.server.port}",
                    "--bind-address=127.0.0.1",
                    "--skip-name-resolve",
                    *self._user(),
                    *self.options,
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._accepts_queries():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log_end = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise Unavailable(f"mariadbd did not start:\n{log_end}")
            time.sleep(0.1)

    def _accepts_queries(self) -> bool:
        try:
            self.server.execute("SELECT 1")
        except pymysql.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Shut the server down as an administrator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, signal_number: signal.Signals) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal_number)
            self.process.wait(START_TIMEOUT)
            self.process = None

    @staticmethod
    def _user() -> list[str]:
        return ["--user=root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


@contextmanager
def private_server(*options: str) -> Iterator[PrivateServer]:
    """Yield a private server. Without MariaDB the test is skipped with the reason, and in CI it fails."""
    private = PrivateServer(options)
    try:
        private.__enter__()
    except Unavailable as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
    try:
        yield private
    finally:
        private.__exit__()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
