"""Instances: processes that serve one invocation at a time, held to their time and memory."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from faaskit.gateways.invocation import IMPORT_ERROR, OUT_OF_MEMORY, PROCESS_EXIT, TIMED_OUT, USER_ERROR, Invocation
from faaskit.gateways.platforms import Platform
from faaskit.local import memory_limit, sandbox
from faaskit.local.instance_runtime import read_frame, write_frame
from faaskit.units import MEBIBYTE

RUNTIME = Path(__file__).with_name("instance_runtime.py")
GRACE = 1.0  # seconds for an ending process to leave its exit code
CAN_FREEZE = hasattr(signal, "SIGSTOP")


@dataclass(frozen=True)
class Launch:
    """How an instance is started and held: what the command line and serverless.yml say."""

    folder: Path
    handler: str
    platform: Platform
    variables: dict[str, str]
    memory: int = 128  # MB; 0 is no limit
    timeout: float = 3  # seconds
    init_timeout: float = 65  # seconds
    read_only: bool = False
    freeze: bool = False
    python: str = sys.executable

    def command(self) -> list[str]:
        """The runtime's command line, ended with this process where the system can do that."""
        command = [self.python, str(RUNTIME), self.handler, self.platform.kind, str(self.folder)]
        if self.read_only:
            command = sandbox.read_only_command(command, self.folder)
        if sys.platform == "linux" and shutil.which("setpriv"):
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        return command


class Instance:
    """One process. Only the thread that acquired it talks to it; the watch may end it at any time."""

    def __init__(self, launch: Launch, number: int, spawn: Callable[[Callable[[], Any]], Any]) -> None:
        self.launch = launch
        self.number = number
        self.limit = memory_limit.cgroup(launch.memory)
        self.init = self.idle_since = 0.0
        self.peak = 0
        self.used = self.timed_out = self._ended = False
        self.deadline: float | None = None
        self.allowed = 0.0  # seconds, of what it is doing now
        self._lock = threading.Lock()
        self._ending = threading.Lock()
        try:
            self.process = spawn(self._spawn)
        except OSError:
            if self.limit:
                self.limit.close()
            raise
        self._requests = cast(BinaryIO, self.process.stdin)
        self._answers = cast(BinaryIO, self.process.stdout)

    def _spawn(self) -> subprocess.Popen[bytes]:
        """A session of its own: Control-C is the gateway's alone, and ending it ends its children."""
        command = self.launch.command()
        return subprocess.Popen(
            self.limit.command(command) if self.limit else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.launch.variables,
            cwd=self.launch.folder,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def start(self, invocation: Invocation) -> bool:
        """Wait until the handler is imported; False, with the reason in the invocation, where it is not."""
        started = time.perf_counter()
        head = self._exchange(None, self.launch.init_timeout)
        self.init = time.perf_counter() - started
        if head is not None and "error_type" not in head[0]:
            self.peak = head[0]["peak"]
            return True
        self._explain(invocation, head and head[0])
        if invocation.code in (USER_ERROR, PROCESS_EXIT):
            invocation.code = IMPORT_ERROR
        return False

    def invoke(self, invocation: Invocation, event: bytes, context: dict[str, Any]) -> bool:
        """Hand over one event; whether the instance can serve another one."""
        invocation.cold, self.used = not self.used, True
        invocation.init = self.init if invocation.cold else 0.0
        invocation.instance = self.number
        if self.launch.freeze and CAN_FREEZE:
            self._signal(signal.SIGCONT)
        started = time.perf_counter()
        head = {"context": context, "bytes": self.launch.platform.event_is_bytes}
        answer = self._exchange((head, event), self.launch.timeout)
        invocation.duration = answer[0]["duration"] if answer else time.perf_counter() - started
        self.peak = invocation.peak = answer[0]["peak"] if answer else self.peak
        if answer and "error_type" not in answer[0]:
            invocation.output = answer[1]
            return True
        self._explain(invocation, answer and answer[0])
        return invocation.code == USER_ERROR

    def _exchange(
        self, request: tuple[dict[str, Any], bytes] | None, seconds: float
    ) -> tuple[dict[str, Any], bytes] | None:
        """Send a frame and wait for the next; None where the instance ended, or was ended for being late."""
        with self._lock:
            self.allowed = seconds
            self.deadline = time.monotonic() + seconds
        try:
            if request is not None:
                write_frame(self._requests, *request)
            answer = read_frame(self._answers)
        except OSError:  # the pipe broke: it is gone
            answer = None
        with self._lock:
            self.deadline = None
        return None if self.timed_out else answer

    def _explain(self, invocation: Invocation, head: dict[str, Any] | None) -> None:
        """Which of the platform's codes it was."""
        error_type = head["error_type"] if head else ""
        if head is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(GRACE)  # its stream ends a moment before it does
            self.kill()
        if self.timed_out:
            invocation.code = TIMED_OUT
            invocation.error = f"Invoking task timed out after {self.allowed:g} seconds"
        elif self.limit and self.limit.exceeded():
            invocation.code = OUT_OF_MEMORY
            invocation.error = f"Memory limit of {self.launch.memory} MB exceeded"
            invocation.peak = self.launch.memory * MEBIBYTE
        elif head is None:
            invocation.code = PROCESS_EXIT
            invocation.error = f"Process exited with code {self.process.returncode}"
        else:
            invocation.code = USER_ERROR
            invocation.error = f"{error_type}: {head['error']}"

    def watch(self, now: float) -> None:
        """End it where its time is over."""
        with self._lock:
            if self.deadline is None or now < self.deadline:
                return
            self.timed_out = True
        self.kill()

    def freeze(self) -> None:
        """Stop it between two invocations."""
        if self.launch.freeze and CAN_FREEZE:
            self._signal(signal.SIGSTOP)

    def died(self) -> bool:
        """Whether the process ended by itself."""
        return self.process.poll() is not None

    def kill(self) -> None:
        """End the process and its children at once, as the platform does, and wait for the end."""
        with self._ending:
            if not self._ended:
                self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            self.process.wait()
            self._ended = True

    def _signal(self, number: int) -> None:
        """Send a signal to the process and its children."""
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def close(self) -> None:
        """End it and give back what it held."""
        self.kill()
        for stream in (self._requests, self._answers):
            with contextlib.suppress(OSError):  # a half-written frame cannot be flushed any more
                stream.close()
        if self.limit:
            self.limit.close()
