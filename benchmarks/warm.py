"""How much CPU does a warm request take, beside the smallest Django view? `python -m benchmarks.warm [ROUNDS]`

The project's requests go through index.main_handler, against a private MariaDB, with a new connection for each request
as in production; the smallest view is called as a WSGI application. Each kind has a process of its own, and the
processes take turns, so that whatever else the machine does strikes all alike. Prints the median and the least CPU of a
request over the rounds, in milliseconds and as a multiple of the smallest view's. On a busy machine look at the least:
a request that waits for the database loses the processor's caches to other programs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from benchmarks.first_request import smallest_project
from benchmarks.servers import PRODUCTION, ROOT, execute, mariadb

SMALLEST = "smallest Django view"
WARM_UP = 20  # requests
REQUESTS = 50  # of a round
SUBMISSION = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}
FULL = {**SUBMISSION, "comment": "服务员态度很好，排队太久", "branch": "sh01", "email": "tom@example.com"}
# Method, path, status of the response, body of the request.
ROUTES: dict[str, tuple[str, str, int, dict[str, object] | None]] = {
    "GET /": ("GET", "/", 200, None),
    "GET /s/<code>": ("GET", "/s/sh01", 200, None),
    "POST /submitSurvey": ("POST", "/submitSurvey", 201, SUBMISSION),
    "with comment, branch, receipt": ("POST", "/submitSurvey", 201, FULL),
}


def smallest_view() -> Callable[[], object]:
    """Return a function that sends one request to the smallest Django project."""
    smallest_project(None)
    from wsgiref.util import setup_testing_defaults

    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    def send() -> None:
        environ = {"PATH_INFO": "/hello/", "QUERY_STRING": "name=Tom"}
        setup_testing_defaults(environ)
        response = application(environ, lambda status, headers: None)
        b"".join(response)
        response.close()

    return send


def through_index(kind: str) -> Callable[[], object]:
    """Return a function that sends one request of this kind to the project; it exits on another status."""
    import index
    from faaskit.gateways.registry import GATEWAYS
    from faaskit.gateways.request import HttpRequest

    method, path, status, values = ROUTES[kind]

    def send() -> None:
        headers = [("Host", "127.0.0.1"), ("Accept", "*/*"), ("Accept-Language", "zh-CN,zh;q=0.9")]
        if values is not None:
            headers += [("Content-Type", "application/json"), ("Idempotency-Key", str(uuid.uuid4()))]
        body = b"" if values is None else json.dumps(values).encode()
        event = GATEWAYS["function-url"].build_event(HttpRequest(method, path, headers, body, scheme="http"))
        result = index.main_handler(event, {})
        if result["statusCode"] != status:
            sys.exit(f"{method} {path}: {result}")

    return send


def work(kind: str) -> None:
    """Run a round for every line of stdin; print the CPU milliseconds of one of its requests."""
    send = smallest_view() if kind == SMALLEST else through_index(kind)
    for _ in range(WARM_UP):
        send()
    print("ready", flush=True)
    for _line in sys.stdin:
        start = time.process_time()
        for _ in range(REQUESTS):
            send()
        print(1_000 * (time.process_time() - start) / REQUESTS, flush=True)


@contextmanager
def worker(kind: str, variables: dict[str, str]) -> Iterator[Callable[[], float]]:
    """Run a process for one kind of request; yield a function that runs one round in it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.warm", "--work", kind],
        cwd=ROOT,
        env={**os.environ, **PRODUCTION, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the log
        text=True,
    )

    def run_round() -> float:
        process.stdin.write("\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    try:
        if process.stdout.readline() != "ready\n":
            raise SystemExit(f"{kind}: the process ended.")
        yield run_round
    finally:
        process.stdin.close()
        process.wait()


def main(rounds: int) -> None:
    """Print the table."""
    with mariadb() as variables, ExitStack() as stack:
        execute(
            variables,
            "INSERT INTO survey_branch (code, name, name_en, manager_email, is_open)"
            " VALUES ('sh01', '人民广场店', 'Square', 'manager@example.com', 1)",
        )
        variables["SUBMISSIONS_PER_HOUR"] = "1000000"  # counted, never refused
        workers = {kind: stack.enter_context(worker(kind, variables)) for kind in (SMALLEST, *ROUTES)}
        measured: dict[str, list[float]] = {kind: [] for kind in workers}
        for _ in range(rounds):
            for kind, run_round in workers.items():
                measured[kind].append(run_round())
    print(f"Warm requests, CPU of one in ms, {rounds} rounds of {REQUESTS}, Python {sys.version.split()[0]}")
    print(f"{'':32} {'median':>7} {'multiple':>9} {'least':>7} {'multiple':>9}")
    for kind, values in measured.items():
        columns = [(summary(values), summary(values) / summary(measured[SMALLEST])) for summary in (median, min)]
        print(f"{kind:32} " + " ".join(f"{cpu:7.3f} {multiple:9.1f}" for cpu, multiple in columns))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
