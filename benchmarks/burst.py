"""Does every one of 301 guests at once get a response, with MariaDB at its default of 151 connections?

    python -m benchmarks.burst [GUESTS]
    python -m benchmarks.burst --url URL [GUESTS]

Three rounds of submissions that have a comment and queue a mail, in turn to this release, to the release before, and to
gunicorn (sync, two workers a core), which serves this release on the same machine. Instances are forked from a process
that has imported the function and handled a page: of a cold start's imports, only what a submission needs besides is
part of the first round. One is started when no other is free, and is used again in the next round.

With --url the guests send to a deployed function, without an e-mail address, so that no mail is queued. The submissions
are stored: name a test's URL, whose SUBMISSIONS_PER_HOUR is 0, since all guests have one address.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Client, Connection
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.servers import PRODUCTION, ROOT, execute, mariadb, migrate, release_before, serving
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.request import HttpRequest

ROUNDS = 3
SUBMISSION = {
    "name": "Guest",
    "phone": "13800138000",
    "satisfaction": 5,
    "comment": "服务员态度很好，但是排队太久",
}
BODY = json.dumps({**SUBMISSION, "email": "guest@example.com"}).encode()
Send = Callable[[], int]  # one submission; returns the status of its response


def event(method: str, path: str, body: bytes = b"") -> dict[str, object]:
    """Return the Function URL's event of a request."""
    headers = [("Host", "127.0.0.1"), ("Content-Type", "application/json")]
    return GATEWAYS["function-url"].build_event(HttpRequest(method, path, headers, body))


@contextmanager
def instances(release: str, variables: dict[str, str]) -> Iterator[Send]:
    """Run a release; yield a function that sends a submission to an instance that is free, else to a new one."""
    free: list[Connection] = []
    submission = event("POST", "/submitSurvey", BODY)
    script = str(ROOT / "benchmarks/burst_instances.py")
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, script, f"{folder}/socket", json.dumps(event("GET", "/"))],
            cwd=release,
            env={**os.environ, **PRODUCTION, **variables, "PYTHONPATH": release},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if process.stdout.readline() != "listening\n":
            raise SystemExit(f"The function of {release} cannot be imported.")

        def send() -> int:
            try:
                instance = free.pop()
            except IndexError:
                instance = Client(f"{folder}/socket")
            instance.send(submission)
            status: int = instance.recv()
            free.append(instance)
            return status

        try:
            yield send
        finally:
            for instance in free:
                instance.close()  # ends it
            process.terminate()
            process.wait()


def sender(url: str, body: bytes) -> Send:
    """Return a function that posts a submission to the survey at this URL; without a response it returns 0."""
    parts = urlsplit(url)
    connect: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection
    if parts.scheme == "https":
        # One context for all: reading the CAs' certificates for each guest took most of the time.
        connect = partial(http.client.HTTPSConnection, context=ssl.create_default_context())

    def send() -> int:
        try:
            with contextlib.closing(connect(parts.netloc, timeout=120)) as connection:
                headers = {"Content-Type": "application/json"}
                connection.request("POST", f"{parts.path.rstrip('/')}/submitSurvey", body, headers)
                return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0

    return send


def burst(title: str, guests: int, send: Send) -> float:
    """Let every guest send in the same moment; print how many got 201; return the median in ms."""
    start = threading.Barrier(guests)

    def guest(_number: int) -> tuple[int, float]:
        start.wait()
        began = time.perf_counter()
        return send(), 1_000 * (time.perf_counter() - began)

    with ThreadPoolExecutor(guests) as threads:
        statuses, times = zip(*threads.map(guest, range(guests)), strict=True)
    median = statistics.median(times)
    figures = f"max {max(times):6.0f}  median {median:6.0f}  min {min(times):6.0f} ms"
    print(f"{title:38} {statuses.count(201):4} of {guests} got 201   {figures}", flush=True)
    return median


def prepare(release: str, variables: dict[str, str], database: str) -> dict[str, str]:
    """Make a release's database and lexicon; return its variables."""
    variables = migrate(release, variables, database)
    lexicon = variables["LEXICON_DIR"]
    Path(lexicon).mkdir()
    command = [sys.executable, "manage.py", "build_lexicon", lexicon]
    subprocess.run(command, cwd=release, env={**os.environ, **PRODUCTION, **variables}, check=True)
    return variables


def measure(guests: int) -> None:
    """Send the rounds to this release, to the one before and to gunicorn, each with a database of its own."""
    workers = 2 * (os.cpu_count() or 1)
    with mariadb() as server, release_before() as before, ExitStack() as stack:
        folders = {"this release": str(ROOT), "release before": before, "gunicorn": str(ROOT)}
        databases = {
            name: prepare(folder, {**server, "LEXICON_DIR": f"{before}/lexicon of {name}"}, name.replace(" ", "_"))
            for name, folder in folders.items()
        }
        command = ("-m", "gunicorn", f"--workers={workers}", "--bind=127.0.0.1:0", "mydjango.wsgi")
        port = stack.enter_context(serving(*command, **databases["gunicorn"]))
        senders = {
            "this release": stack.enter_context(instances(str(ROOT), databases["this release"])),
            "release before": stack.enter_context(instances(before, databases["release before"])),
            "gunicorn": sender(f"http://127.0.0.1:{port}", BODY),
        }
        medians: dict[str, list[float]] = {name: [] for name in senders}
        for number in range(1, ROUNDS + 1):
            for name, send in senders.items():
                medians[name].append(burst(f"{name}, round {number}", guests, send))
        for name, variables in databases.items():
            count = "SELECT COUNT(*) FROM"
            stored = execute(variables, f"{count} survey_response; {count} survey_outgoingmail")
            print("{}: {} submissions and {} mails stored".format(name, *stored))
    warm = {name: statistics.median(values[1:]) for name, values in medians.items()}
    for name in ("release before", "gunicorn"):
        print(f"Warm rounds: this release's median is {warm['this release'] / warm[name]:.2f} of {name}'s.")


def main() -> None:
    """Measure locally, or the function at a URL."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("guests", nargs="?", type=int, default=301, help="guests at once (default: 301)")
    parser.add_argument(
        "--url", help="of a deployed function, in the place of the local ones; it stores the submissions"
    )
    options = parser.parse_args()
    if options.url is None:
        measure(options.guests)
        return
    for number in range(1, ROUNDS + 1):
        burst(f"round {number}", options.guests, sender(options.url, json.dumps(SUBMISSION).encode()))


if __name__ == "__main__":
    main()
