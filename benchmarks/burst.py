"""Does every one of 301 guests at once get a response, with MariaDB at its default of 151 connections?

    python -m benchmarks.burst [GUESTS]

Three rounds of submissions that have a comment and queue a mail. An instance is a process of its own for each guest,
forked from one that has imported the function: of a cold start's imports, only jieba's are part of the first round.
gunicorn (sync, two workers a core) serves the same project on the same machine.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.pool import Pool, ThreadPool

from benchmarks.servers import PRODUCTION, execute, mariadb, serving
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.request import HttpRequest

ROUNDS = 3
HEADERS = {"Host": "127.0.0.1", "Content-Type": "application/json"}
SUBMISSION = {"name": "Guest", "phone": "13800138000", "email": "guest@example.com", "satisfaction": 5}
BODY = json.dumps({**SUBMISSION, "comment": "服务员态度很好，但是排队太久"}).encode()


def send_to_instance(method: str = "POST", path: str = "/submitSurvey", body: bytes = BODY) -> int:
    """Let this process handle the request as an instance behind a Function URL; return the status code."""
    import index

    event = GATEWAYS["function-url"].build_event(HttpRequest(method, path, list(HEADERS.items()), body))
    status: int = index.main_handler(event, {"time_limit_in_ms": 30_000, "memory_limit_in_mb": 128})["statusCode"]
    return status


def send_to_server(port: int) -> int:
    """Post the submission over a connection of its own; return the status code."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.request("POST", "/submitSurvey", BODY, HEADERS)
        return connection.getresponse().status


def guest(send: Callable[[], int], start: float) -> tuple[int, float]:
    """Send at `start` of the monotonic clock; return the status code and the milliseconds."""
    time.sleep(max(0.0, start - time.monotonic()))
    began = time.monotonic()
    return send(), 1_000 * (time.monotonic() - began)


def burst(title: str, pool: Pool, guests: int, send: Callable[[], int]) -> None:
    """Let every guest send in the same moment; print how many got 201, and the response times."""
    start = time.monotonic() + 2  # until then all are at their place
    statuses, times = zip(*pool.starmap(guest, [(send, start)] * guests, chunksize=1), strict=True)
    figures = f"max {max(times):6.0f}  median {statistics.median(times):6.0f}  min {min(times):6.0f} ms"
    print(f"{title:30} {statuses.count(201):4} of {guests} got 201   {figures}")


def report_rows(variables: dict[str, str]) -> None:
    """Print what is in the database and how many connections are open."""
    count = "SELECT COUNT(*) FROM"
    connections = f"{count} information_schema.processlist WHERE db = 'survey' AND id <> CONNECTION_ID()"
    values = execute(variables, f"{count} survey_response; {count} survey_outgoingmail; {connections}")
    print("{} submissions, {} mails queued, {} connections open".format(*values))


def main(guests: int) -> None:
    """Measure both, each with a database of its own."""
    with mariadb() as variables:
        os.environ.update(PRODUCTION, **variables)
        send_to_instance("GET", "/", b"")
        logging.disable(logging.INFO)  # one line a submission
        with multiprocessing.get_context("fork").Pool(guests) as instances:
            for number in range(ROUNDS):
                burst(f"instances, round {number + 1}", instances, guests, send_to_instance)
        report_rows(variables)
    workers = 2 * (os.cpu_count() or 1)
    command = ("-m", "gunicorn", f"--workers={workers}", "--bind=127.0.0.1:0", "mydjango.wsgi")
    with mariadb() as variables, serving(*command, **variables) as port, ThreadPool(guests) as threads:
        burst("gunicorn, warming up", threads, workers, partial(send_to_server, port))
        for number in range(ROUNDS):
            burst(f"gunicorn, {workers} workers, round {number + 1}", threads, guests, partial(send_to_server, port))
        report_rows(variables)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 301)
