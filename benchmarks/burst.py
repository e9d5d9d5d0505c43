"""Does every one of 301 guests at once get a response, with MariaDB at its default of 151 connections?

    python -m benchmarks.burst [GUESTS]

Three rounds of submissions that have a comment and queue a mail. Instances are forked from a process that has imported
the function: of a cold start's imports, only jieba's are part of the first round. One is started when no other is free,
and is used again in the next round. gunicorn (sync, two workers a core) serves the same project on the same machine.
"""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import logging
import multiprocessing
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Client, Connection, Listener

from benchmarks.servers import PRODUCTION, execute, mariadb, serving
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.request import HttpRequest

ROUNDS = 3
HEADERS = {"Host": "127.0.0.1", "Content-Type": "application/json"}
SUBMISSION = {"name": "Guest", "phone": "13800138000", "email": "guest@example.com", "satisfaction": 5}
BODY = json.dumps({**SUBMISSION, "comment": "服务员态度很好，但是排队太久"}).encode()
CONTEXT = {"time_limit_in_ms": 30_000, "memory_limit_in_mb": 128}


def event(method: str, path: str, body: bytes = b"") -> dict[str, object]:
    """Return the Function URL's event of a request."""
    return GATEWAYS["function-url"].build_event(HttpRequest(method, path, list(HEADERS.items()), body))


def fork_instances(ready: Connection, address: str, variables: dict[str, str]) -> None:
    """Import the function, then fork an instance for each connection: events in, status codes out."""
    os.environ.update(PRODUCTION, **variables)
    import index

    index.main_handler(event("GET", "/"), CONTEXT)
    logging.disable(logging.INFO)  # one line a submission
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with Listener(address, backlog=1_024) as listener:
        ready.send("listening")
        while True:
            with listener.accept() as connection:
                if os.fork() == 0:
                    with contextlib.suppress(EOFError):
                        while True:
                            connection.send(index.main_handler(connection.recv(), CONTEXT)["statusCode"])
                    os._exit(0)


def measure_instances(variables: dict[str, str], guests: int, folder: str) -> None:
    """Send each guest's submission to an instance that is free, else to a new one."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    arguments = (theirs, f"{folder}/socket", variables)
    process = multiprocessing.get_context("fork").Process(target=fork_instances, args=arguments, daemon=True)
    process.start()
    theirs.close()
    ours.recv()  # EOFError where the function cannot be imported
    free: list[Connection] = []
    submission = event("POST", "/submitSurvey", BODY)

    def send() -> int:
        try:
            instance = free.pop()
        except IndexError:
            instance = Client(f"{folder}/socket")
        instance.send(submission)
        status: int = instance.recv()
        free.append(instance)
        return status

    for number in range(ROUNDS):
        burst(f"instances, round {number + 1} ({len(free)} warm)", guests, send)
    report_rows(variables)
    process.terminate()
    process.join()


def measure_gunicorn(variables: dict[str, str], guests: int, _folder: str) -> None:
    """Send the same submissions to gunicorn, after a few that load the project."""
    workers = 2 * (os.cpu_count() or 1)
    with serving("-m", "gunicorn", f"--workers={workers}", "--bind=127.0.0.1:0", "mydjango.wsgi", **variables) as port:

        def send() -> int:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
                connection.request("POST", "/submitSurvey", BODY, HEADERS)
                return connection.getresponse().status

        burst("gunicorn, warming up", workers, send)
        for number in range(ROUNDS):
            burst(f"gunicorn, {workers} workers, round {number + 1}", guests, send)
        report_rows(variables)


def burst(title: str, guests: int, send: Callable[[], int]) -> None:
    """Let every guest send in the same moment; print how many got 201, and the response times."""
    start = threading.Barrier(guests)

    def guest(_number: int) -> tuple[int, float]:
        start.wait()
        began = time.perf_counter()
        return send(), 1_000 * (time.perf_counter() - began)

    with ThreadPoolExecutor(guests) as threads:
        statuses, times = zip(*threads.map(guest, range(guests)), strict=True)
    figures = f"max {max(times):6.0f}  median {statistics.median(times):6.0f}  min {min(times):6.0f} ms"
    print(f"{title:38} {statuses.count(201):4} of {guests} got 201   {figures}")


def report_rows(variables: dict[str, str]) -> None:
    """Print what is in the database and how many connections are open."""
    count = "SELECT COUNT(*) FROM"
    connections = f"{count} information_schema.processlist WHERE db = 'survey' AND id <> CONNECTION_ID()"
    values = execute(variables, f"{count} survey_response; {count} survey_outgoingmail; {connections}")
    print("{} submissions, {} mails queued, {} connections open".format(*values))


def main(guests: int) -> None:
    """Measure both, each with a database of its own."""
    for measure in (measure_instances, measure_gunicorn):
        with mariadb() as variables, tempfile.TemporaryDirectory() as folder:
            measure(variables, guests, folder)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 301)
