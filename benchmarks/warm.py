"""How much CPU does a warm request take? `python -m benchmarks.warm [ROUNDS] [NAME]`

Measured beside the smallest Django view and the release before, which is put into a temporary folder. Their
requests go through index.main_handler, with a new connection to a private MariaDB for each request as in production;
the smallest view is called as a WSGI application. Each has a process of its own, and the three take turns, so that
whatever else the machine does strikes all alike. After ROUNDS rounds, new processes follow, SETS times: where a process
lies in memory makes it up to a third slower. The staff's pages show the 5,000 submissions of `seed_demo`.

Prints the median CPU, and medians of the rounds' ratios to the smallest view and to the release before: a shared
machine is slow for minutes. NAME measures only the kinds of requests whose names have it. Guests' requests follow with
what the database does for one, and the smallest view after pauses as long as a database's: how much more CPU the same
code takes on this machine after it waited once, where a submission waits seven times. Meanwhile the processor's caches
went to other programs, and more of them on a busy machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.servers import PRODUCTION, ROOT, execute, mariadb, release_before
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.request import HttpRequest

SUBMISSION = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}
FULL = {**SUBMISSION, "comment": "服务员态度很好，排队太久", "branch": "sh01", "email": "tom@example.com"}
BRANCH = (
    "INSERT INTO survey_branch (code, name, name_en, manager_email, is_open)"
    " VALUES ('sh01', '人民广场店', 'Square', 'manager@example.com', 1)"
)
LOG_IN = """
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.get(username="head@example.com"))
print(client.cookies["sessionid"].value)
"""
LOW_SCORE = "SELECT reference FROM survey_response WHERE satisfaction = 1 ORDER BY id LIMIT 1"

PAUSES = (1, 3)  # milliseconds
SETS = 3  # of processes


class Kind(NamedTuple):
    """A request; `path` may have the REFERENCE of a submission."""

    path: str
    values: dict[str, object] | None = None  # of the body
    requests: int = 50  # of a round


KINDS = {
    "GET /": Kind("/"),
    "GET /s/<code>": Kind("/s/sh01"),
    "POST /submitSurvey": Kind("/submitSurvey", SUBMISSION),
    "with comment, branch, receipt": Kind("/submitSurvey", FULL),
    "staff: overview": Kind("/dashboard/", requests=5),
    "staff: overview, 365 days": Kind("/dashboard/?days=365", requests=5),
    "staff: comments": Kind("/dashboard/comments/", requests=5),
    "staff: search": Kind("/dashboard/comments/?days=365&q=%E6%8E%92%E9%98%9F", requests=5),
    "staff: follow-up": Kind("/dashboard/follow-up/?days=365&status=all", requests=5),
    "staff: one submission": Kind("/dashboard/responses/REFERENCE/", requests=5),
    "staff: export": Kind("/dashboard/export/", requests=5),
    "staff: branches": Kind("/dashboard/branches/", requests=5),
    "staff: accounts": Kind("/dashboard/staff/", requests=5),
}


class Release(NamedTuple):
    """A folder with the project, its variables for guests and for staff, and what its staff's requests need."""

    folder: str
    guests: dict[str, str]
    staff: dict[str, str]
    session: str
    reference: str

    def event(self, kind: Kind) -> str:
        """Return the Function URL's event as JSON."""
        headers = [("Host", "127.0.0.1"), ("Accept", "*/*"), ("Accept-Language", "zh-CN,zh;q=0.9")]
        if kind.values is not None:
            headers += [("Content-Type", "application/json"), ("Idempotency-Key", "IDEMPOTENCY_KEY")]
        if kind.path.startswith("/dashboard/"):
            headers.append(("Cookie", f"sessionid={self.session}"))
        body = b"" if kind.values is None else json.dumps(kind.values).encode()
        method = "GET" if kind.values is None else "POST"
        path = kind.path.replace("REFERENCE", self.reference)
        event = GATEWAYS["function-url"].build_event(HttpRequest(method, path, headers, body, scheme="http"))
        return json.dumps(event)


def set_up(folder: str, server: dict[str, str], name: str, lexicon: str) -> Release:
    """Make the databases of a release: one branch for guests, the demo for staff."""
    environment = {**server, "SUBMISSIONS_PER_HOUR": "1000000", "LEXICON_DIR": lexicon}  # counted, never refused
    guests, staff = ({**environment, "MYSQL_DATABASE": f"{name}_{side}"} for side in ("guests", "staff"))

    def manage(variables: dict[str, str], *arguments: str, debug: str = "0") -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=folder,
            env={**os.environ, **PRODUCTION, **variables, "DEBUG": debug},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout

    for variables in (guests, staff):
        execute(server, f"CREATE DATABASE {variables['MYSQL_DATABASE']} CHARACTER SET utf8mb4")
        manage(variables, "migrate", "--verbosity=0")
    execute(guests, BRANCH)
    manage(staff, "seed_demo", debug="1")  # builds the lexicon too
    session = manage(staff, "shell", "--command", LOG_IN).split()[-1]
    [reference] = execute(staff, LOW_SCORE)
    return Release(folder, guests, staff, session, reference)


@contextmanager
def worker(folder: str, variables: dict[str, str], event: str, kind: Kind) -> Iterator[Callable[[], float]]:
    """Run a process for one kind of request; yield a function that runs one round in it."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks" / "warm_requests.py"), event, "200" if not kind.values else "201"],
        cwd=folder,
        env={**os.environ, **PRODUCTION, **variables, "PYTHONPATH": folder},
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
        process.stdin.write(f"{kind.requests}\n")
        process.stdin.flush()
        if process.stdout.readline() != "ready\n":
            raise SystemExit(f"{kind.path} in {folder}: the process ended.")
        yield run_round
    finally:
        process.stdin.close()
        process.wait()


def measure(kind: Kind, releases: list[Release], rounds: int) -> list[list[float]]:
    """Return each round's CPU of one request: of the smallest view, then of each release."""
    measured = []
    for _set in range(SETS):
        with ExitStack() as stack:
            workers = [stack.enter_context(worker(str(ROOT), {}, "0", kind._replace(requests=200)))]
            for release in releases:
                variables = release.staff if kind.path.startswith("/dashboard/") else release.guests
                workers.append(stack.enter_context(worker(release.folder, variables, release.event(kind), kind)))
            measured += [[run_round() for run_round in workers] for _ in range(rounds)]
    return measured


def database_cost(kind: Kind, release: Release, server: dict[str, str]) -> str:
    """Return what the database does for one request, by its own counters."""
    counters = ("Questions", "Handler_write", "Handler_update", "Handler_delete", "Innodb_os_log_written")
    query = f"SHOW GLOBAL STATUS WHERE Variable_name IN {counters}"

    def read() -> dict[str, int]:
        words = execute(server, query)
        return {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}

    with worker(release.folder, release.guests, release.event(kind), kind) as run_round:
        values = [read(), read()]
        run_round()
        values.append(read())
    idle, busy = ({name: after[name] - before[name] for name in counters} for before, after in pairwise(values))
    one = {name: (busy[name] - idle[name]) / kind.requests for name in counters}
    rows = "{Handler_write:.1f} rows inserted, {Handler_update:.1f} updated, {Handler_delete:.1f} deleted"
    return ("{Questions:.1f} statements, " + rows + ", {Innodb_os_log_written:,.0f} bytes of redo log").format(**one)


def cost_of_a_pause(milliseconds: int, rounds: int) -> float:
    """Return the smallest view's CPU after a pause, as a multiple of its CPU without one."""
    kind = Kind("/hello/", requests=200)
    with worker(str(ROOT), {}, "0", kind) as without, worker(str(ROOT), {}, str(milliseconds), kind) as after:
        measured = [(without(), after()) for _ in range(rounds)]
    return median(column[1] for column in measured) / median(column[0] for column in measured)


def main(rounds: int, name: str) -> None:
    """Print the table, a line for each kind of request."""
    with mariadb() as server, release_before() as folder:
        releases = []
        for release, source in (("before", folder), ("now", str(ROOT))):
            lexicon = Path(folder, f"lexicon-{release}")
            lexicon.mkdir()
            releases.append(set_up(source, server, release, str(lexicon)))
        python = sys.version.split()[0]
        print(f"Warm requests, CPU of one, {SETS} x {rounds} rounds, Python {python}; x: of the smallest view")
        print(f"{'':30} {'ms now':>8} {'x now':>7} {'x before':>9} {'now/before':>11}")
        for title, kind in KINDS.items():
            if name in title:
                report(title, measure(kind, releases, rounds))
        for title, kind in KINDS.items():
            if name in title and not kind.path.startswith("/dashboard/"):
                print(f"{title}: {database_cost(kind, releases[-1], server)}")
        for pause in PAUSES:
            print(f"the smallest view after a pause of {pause} ms: {cost_of_a_pause(pause, rounds):.1f} times itself")


def report(title: str, measured: list[list[float]]) -> None:
    """Print a line."""
    columns = (
        [now for _smallest, _before, now in measured],
        [now / smallest for smallest, _before, now in measured],
        [before / smallest for smallest, before, _now in measured],
        [now / before for _smallest, before, now in measured],
    )
    milliseconds, x_now, x_before, ratio = map(median, columns)
    print(f"{title:30} {milliseconds:8.3f} {x_now:7.1f} {x_before:9.1f} {ratio:11.2f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2] if len(sys.argv) > 2 else "")
