"""Instances of a Web function: processes of scf_bootstrap, each of which serves several requests at once over HTTP."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from wsgiref.util import is_hop_by_hop

from faaskit.gateways.invocation import IMPORT_ERROR, PROCESS_EXIT, Invocation
from faaskit.gateways.request import HttpRequest
from faaskit.local.instance import Instance, Launch
from faaskit.units import MEBIBYTE
from faaskit.web import bootstrap

POLL_EVERY = 0.005  # seconds, while an instance starts
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Bootstrap:
    """The scf_bootstrap that instances run."""

    file: Path
    takes_port: bool  # whether it listens on FUNCTION_PORT; on port 9000 there can be one instance only

    @classmethod
    def of(cls, folder: Path) -> Bootstrap:
        """Return the one of a folder."""
        file = folder / bootstrap.NAME
        return cls(file, "FUNCTION_PORT" in file.read_text(encoding="utf-8", errors="replace"))

    def port(self) -> int:
        """Return the port for a new instance."""
        if not self.takes_port:
            return bootstrap.PORT
        with socket.create_server((LOOPBACK, 0)) as free:
            port: int = free.getsockname()[1]
        return port


class WebInstance(Instance):
    """One process. Any number of threads talk to it; the pool counts their requests in `active`."""

    def __init__(
        self, launch: Launch, script: Bootstrap, number: int, spawn: Callable[[Callable[[], Any]], Any]
    ) -> None:
        self.script, self.port, self.active = script, script.port(), 0
        super().__init__(launch, number, spawn)

    def _spawn(self) -> subprocess.Popen[bytes]:
        launch = self.launch
        command = launch.held(["/bin/bash", str(self.script.file)])
        return subprocess.Popen(
            self.memory_group.command(command) if self.memory_group else command,
            stdin=subprocess.DEVNULL,
            stdout=2,  # the gateway's own standard output has the reports
            env=launch.variables | {"FUNCTION_PYTHON": launch.python, "FUNCTION_PORT": str(self.port)},
            cwd=launch.folder,
            start_new_session=True,
        )

    def start(self, invocation: Invocation) -> bool:
        """Wait until the port is open; return False, with the reason in the invocation, where that fails."""
        started = time.perf_counter()
        while not self._listens():
            self._timed_out = time.perf_counter() - started > self.launch.init_timeout
            if self._timed_out or self.process.poll() is not None:
                self._report_failure(invocation, None, self.launch.init_timeout)
                if invocation.code == PROCESS_EXIT:
                    invocation.code = IMPORT_ERROR
                return False
            time.sleep(POLL_EVERY)
        self.init = time.perf_counter() - started
        return True

    def _listens(self) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex((LOOPBACK, self.port)) == 0

    def open(self, invocation: Invocation, request: HttpRequest, added: dict[str, str]) -> Exchange | None:
        """Send a request; return the exchange once the response's headers are there, None where the instance failed."""
        invocation.cold, self._used = not self._used, True
        invocation.init = self.init if invocation.cold else 0.0
        invocation.instance = self.number
        exchange = Exchange(self, invocation)
        try:
            exchange.begin(request, added)
        except (OSError, HTTPException):
            exchange.end()
            self.report_failure(invocation)
            return None
        return exchange

    def end_late(self) -> None:
        """End the process for a request over its time, with whatever else it serves."""
        self._timed_out = True
        self.kill()

    def report_failure(self, invocation: Invocation) -> None:
        """Set the platform's code for a request whose connection ended."""
        self._report_failure(invocation, None, self.launch.timeout)

    def peak_memory(self) -> int:
        """Return the most memory that the process has held so far, in bytes; 0 where the system does not say."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0
        return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)

    def close(self) -> None:
        """End the process and release its memory group."""
        self.kill()
        if self.memory_group:
            self.memory_group.close()


class Exchange:
    """One request in an instance: first the head of the response, then its body as it arrives."""

    def __init__(self, instance: WebInstance, invocation: Invocation) -> None:
        self.instance, self.invocation = instance, invocation
        self._connection = HTTPConnection(LOOPBACK, instance.port)
        self._started = time.perf_counter()
        self._late = threading.Timer(instance.launch.timeout, instance.end_late)
        self._late.daemon = True
        self._late.start()
        self.response: HTTPResponse

    def begin(self, request: HttpRequest, added: dict[str, str]) -> None:
        """Send the request and wait for the head of the response. Raises OSError and HTTPException."""
        connection = self._connection
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            # The platform's own headers cannot be the client's (Tencent 583/56124).
            if not is_hop_by_hop(name) and not name.lower().startswith("x-scf-"):
                connection.putheader(name, value.encode())
        for name, value in added.items():
            connection.putheader(name, value)
        connection.putheader("Connection", "close")
        connection.endheaders(request.body)
        self.response = connection.getresponse()

    def read(self) -> bytes:
        """Return the next part of the body, b'' at its end. Raises OSError and HTTPException."""
        return self.response.read1(64 * 1024)

    def end(self) -> None:
        """Close the connection and note what the request took."""
        self._late.cancel()
        self._connection.close()
        self.invocation.duration = time.perf_counter() - self._started
        self.invocation.peak = min(self.instance.peak_memory(), (self.instance.launch.memory or 1 << 40) * MEBIBYTE)
