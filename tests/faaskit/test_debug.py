"""`faaskit serve --debug`, at a terminal of its own."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.support.local_servers import ROOT, Client

pytestmark = pytest.mark.slow

INDEX = """
def handler(event, context):
    number = 40
    breakpoint()
    return {"statusCode": 200, "headers": {}, "body": str(number)}
"""


class Terminal:
    """A process at a pseudo-terminal."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.own, other = pty.openpty()
        self.mode = termios.tcgetattr(self.own)
        environ = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "dumb", "PYTHONBREAKPOINT": "pdb.set_trace"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faaskit", *arguments],
            cwd=folder,
            env=environ,
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # it becomes the controlling terminal
        )
        os.close(other)
        self.shown = ""

    def read_until(self, text: str) -> None:
        """Read what is shown until a text is, from where the last call ended."""
        deadline = time.monotonic() + 60
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self.own], [], [], 1)[0]:
                self.shown += os.read(self.own, 65536).decode()
        self.seen, self.shown = self.shown.partition(text)[::2]

    def type(self, text: str) -> None:
        os.write(self.own, text.encode())


@pytest.fixture
def terminal(tmp_path):
    (tmp_path / "index.py").write_text(INDEX, encoding="utf-8")
    (tmp_path / "serverless.yml").write_text("inputs: {handler: index.handler, timeout: 1}\n", encoding="utf-8")
    started = Terminal(tmp_path, "serve", "0", "--debug")
    yield started
    started.process.kill()
    started.process.wait()
    os.close(started.own)


def test_breakpoint_in_a_view_stops_at_the_terminal(terminal):
    terminal.read_until("Quit with Control-C.")
    assert "timeout: none (--debug)" in terminal.seen
    client = Client(int(re.search(r"http://127\.0\.0\.1:(\d+)", terminal.seen)[1]))
    bodies: list[str] = []
    request = threading.Thread(target=lambda: bodies.append(client.request("GET", "/").text))
    request.start()
    terminal.read_until("(Pdb) ")
    terminal.type("number = 42\n")
    terminal.read_until("(Pdb) ")
    terminal.type("continue\n")
    request.join(60)
    assert bodies == ["42"]
    terminal.type("\x03")
    terminal.read_until("Summary invocations:1 failed:0")
    assert terminal.process.wait(30) == 0


def test_control_c_at_the_prompt_ends_everything_and_restores_the_terminal(terminal):
    terminal.read_until("Quit with Control-C.")
    client = Client(int(re.search(r"http://127\.0\.0\.1:(\d+)", terminal.seen)[1]))

    def ask() -> None:
        with suppress(OSError, HTTPException):  # the gateway ends meanwhile
            client.request("GET", "/")

    request = threading.Thread(target=ask)
    request.start()
    terminal.read_until("(Pdb) ")
    terminal.type("\x03")
    terminal.read_until("Summary ")
    assert terminal.process.wait(30) == 0
    request.join(30)
    assert termios.tcgetattr(terminal.own)[3] == terminal.mode[3]


def test_without_a_terminal_it_is_one_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "faaskit", "serve", "0", "--debug"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    sentence = "--debug needs a terminal, of Linux or macOS, as standard input and output.\n"
    assert (done.returncode, done.stderr) == (1, sentence)
