"""Django's runserver and the local gateway as processes, and a client that sends requests unchanged."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.support.eventually import eventually

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Response:
    """An HTTP response; header names in lower case, in their order."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str:
        return ", ".join(self.all(name))

    def cookies(self) -> dict[str, str]:
        return dict(re.match(r"([^=]+)=([^;]*)", cookie).groups() for cookie in self.all("set-cookie"))


@dataclass
class Client:
    """Send requests exactly as given: the target is not normalised, headers may repeat."""

    port: int

    def request(
        self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes | None = None
    ) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value.encode())
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        received = connection.getresponse()
        headers = [(key.lower(), value) for key, value in received.getheaders()]
        response = Response(received.status, headers, received.read())
        connection.close()
        return response

    def raw(self, content: bytes) -> bytes:
        """Send bytes as they are; return everything received until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(content)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        return received


class Server:
    """A server process; its output is collected."""

    def __init__(self, arguments: list[str], environ: dict[str, str] | None = None, folder: Path = ROOT) -> None:
        plain = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=plain | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)} | (environ or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=lines.extend, args=(stream,), daemon=True)
            for lines, stream in ((self.out, self.process.stdout), (self.err, self.process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def client(self) -> Client:
        """Wait until the server prints its address; return a client."""
        pattern = re.compile(r"at http://127\.0\.0\.1:(\d+)")

        def found() -> re.Match[str] | None:
            assert self.process.poll() is None, "".join(self.err)
            return next(filter(None, map(pattern.search, [*self.err, *self.out])), None)

        eventually(found)
        return Client(int(found()[1]))

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(30)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def runserver(environ: dict[str, str]) -> tuple[Server, Client]:
    """Start Django's own server with production settings."""
    port = free_port()
    public = {"PUBLIC_URL": f"http://127.0.0.1:{port}", "DEBUG": "0"}
    arguments = ["manage.py", "runserver", f"127.0.0.1:{port}", "--noreload"]
    server = Server(arguments, environ | public)
    return server, server.client()


def rungateway(*options: str, folder: Path = ROOT, environ: dict[str, str] | None = None) -> Server:
    """Start the local gateway on a free port."""
    return Server(["-m", "faaskit", "serve", "0", *options], environ, folder=folder)
