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

from faaskit.function_config import FunctionConfig
from faaskit.gateways.invocation import IMPORT_ERROR, OUT_OF_MEMORY, PROCESS_EXIT, TIMED_OUT, USER_ERROR, Invocation
from faaskit.gateways.platforms import Platform
from faaskit.local import memory_limit, sandbox
from faaskit.local.instance_runtime import read_frame, write_frame
from faaskit.units import MEBIBYTE

RUNTIME = Path(__file__).with_name("instance_runtime.py")
EXIT_GRACE = 1.0  # seconds for an ending process to leave its exit code
CAN_FREEZE = hasattr(signal, "SIGSTOP")

Frame = tuple[dict[str, Any], bytes]  # head, payload


@dataclass(frozen=True)
class Launch:
    """How an instance is started and held: the settings of the command line and serverless.yml."""

    folder: Path
    handler: str
    platform: Platform
    variables: dict[str, str]
    memory: int = FunctionConfig.memory  # MB; 0 is no limit
    timeout: float = FunctionConfig.timeout  # seconds
    init_timeout: float = FunctionConfig.init_timeout  # seconds
    read_only: bool = False
    freeze: bool = False
    terminal: bool = False  # the instance has this process's standard input and output, for a debugger
    python: str = sys.executable

    def command(self, *streams: int) -> list[str]:
        """Return the runtime's command line."""
        return self.held(
            [self.python, str(RUNTIME), self.handler, self.platform.kind, str(self.folder), *map(str, streams)]
        )

    def held(self, command: list[str]) -> list[str]:
        """Return a command as it runs in an instance: unable to write the code, and ending with this process."""
        if self.read_only:
            command = sandbox.read_only_command(command, self.folder)
        if sys.platform == "linux" and shutil.which("setpriv"):
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        return command


class Instance:
    """One process. Only the thread that acquired it talks to it; the pool's watch may end it at any time."""

    def __init__(self, launch: Launch, number: int, spawn: Callable[[Callable[[], Any]], Any]) -> None:
        self.launch = launch
        self.number = number
        self.memory_group = memory_limit.cgroup(launch.memory)
        self.init = self.idle_since = 0.0
        self.peak = 0
        self._used = self._timed_out = self._ended = False
        self._deadline: float | None = None
        self._lock = threading.Lock()
        self._ending = threading.Lock()
        try:
            self.process = spawn(self._spawn)
        except OSError:
            if self.memory_group:
                self.memory_group.close()
            raise

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start the process in a session of its own: Control-C reaches the gateway alone, a kill its children too."""
        if self.launch.terminal:
            return self._spawn_in_terminal()
        command = self.launch.command()
        process = subprocess.Popen(
            self.memory_group.command(command) if self.memory_group else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.launch.variables,
            cwd=self.launch.folder,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._requests, self._results = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
        return process

    def _spawn_in_terminal(self) -> subprocess.Popen[bytes]:
        """Start the process in this session: only its foreground group may read the terminal."""
        (requests, self_requests), (self_results, results) = os.pipe(), os.pipe()
        command = self.launch.command(requests, results)
        try:
            process = subprocess.Popen(
                self.memory_group.command(command) if self.memory_group else command,
                env=self.launch.variables,
                cwd=self.launch.folder,
                pass_fds=(requests, results),
            )
        finally:
            os.close(requests)
            os.close(results)
        self._requests, self._results = os.fdopen(self_requests, "wb"), os.fdopen(self_results, "rb")
        return process

    def start(self, invocation: Invocation) -> bool:
        """Wait until the handler is imported; return False, with the reason in the invocation, where it fails."""
        started = time.perf_counter()
        frame = self._exchange(None, self.launch.init_timeout)
        self.init = time.perf_counter() - started
        if frame is not None and "error_type" not in frame[0]:
            self.peak = frame[0]["peak"]
            return True
        self._report_failure(invocation, frame, self.launch.init_timeout)
        if invocation.code in (USER_ERROR, PROCESS_EXIT):
            invocation.code = IMPORT_ERROR
        return False

    def handle_event(self, invocation: Invocation, event: bytes, context: dict[str, Any]) -> bool:
        """Hand over one event; return whether the instance can serve another one."""
        invocation.cold, self._used = not self._used, True
        invocation.init = self.init if invocation.cold else 0.0
        invocation.instance = self.number
        self.thaw()
        started = time.perf_counter()
        head = {"context": context, "bytes": self.launch.platform.event_is_bytes}
        frame = self._exchange((head, event), self.launch.timeout)
        invocation.duration = frame[0]["duration"] if frame else time.perf_counter() - started
        self.peak = invocation.peak = frame[0]["peak"] if frame else self.peak
        if frame and "error_type" not in frame[0]:
            invocation.output = frame[1]
            return True
        self._report_failure(invocation, frame, self.launch.timeout)
        return invocation.code == USER_ERROR

    def _exchange(self, request: Frame | None, seconds: float) -> Frame | None:
        """Send a frame and wait for the next; return None where the instance ended, or was ended for being late."""
        with self._lock:
            self._deadline = time.monotonic() + seconds
        try:
            if request is not None:
                write_frame(self._requests, *request)
            frame = read_frame(self._results)
        except OSError:  # the process is gone
            frame = None
        with self._lock:
            self._deadline = None
        return None if self._timed_out else frame

    def _report_failure(self, invocation: Invocation, frame: Frame | None, seconds: float) -> None:
        """Set the platform's code for a frame that reports an exception, or for a missing one."""
        if frame is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(EXIT_GRACE)  # its stream ends a moment before the process
            self.kill()
        if self._timed_out:
            invocation.fail(TIMED_OUT, f"Invoking task timed out after {seconds:g} seconds")
        elif self.memory_group and self.memory_group.exceeded():
            invocation.fail(OUT_OF_MEMORY, f"Memory limit of {self.launch.memory} MB exceeded")
            invocation.peak = self.launch.memory * MEBIBYTE
        elif frame is None:
            invocation.fail(PROCESS_EXIT, f"Process exited with code {self.process.returncode}")
        else:
            invocation.fail(USER_ERROR, f"{frame[0]['error_type']}: {frame[0]['error']}")

    def end_if_late(self, now: float) -> None:
        """End the process if its deadline has passed."""
        with self._lock:
            if self._deadline is None or now < self._deadline:
                return
            self._timed_out = True
        self.kill()

    def thaw(self) -> None:
        """Let the process go on."""
        if self.launch.freeze and CAN_FREEZE:
            self._signal(signal.SIGCONT)

    def freeze(self) -> None:
        """Stop the process between two invocations."""
        if self.launch.freeze and CAN_FREEZE:
            self._signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End the process and its children at once, as the platform does, and wait for the end."""
        with self._ending:
            if not self._ended:
                self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            self.process.wait()
            self._ended = True

    def _signal(self, number: int) -> None:
        """Send a signal to the process and its children."""
        if os.name == "posix" and not self.launch.terminal:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def close(self) -> None:
        """End the process and release its streams and its memory group."""
        self.kill()
        for stream in (self._requests, self._results):
            with contextlib.suppress(OSError):  # a half-written frame cannot be flushed any more
                stream.close()
        if self.memory_group:
            self.memory_group.close()
