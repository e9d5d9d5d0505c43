"""301 guests at once, three rounds, MariaDB at its default of 151 connections: this project's instances and gunicorn.

    python -m benchmarks.burst [--guests 301] [--rounds 3]

Each answer brings a mail and a comment. An instance is a process forked from one that has imported the function,
started when no other is free, and used again in the next round; of its imports, jieba's alone are part of a first
round. gunicorn (sync, 2 workers per core) serves the same project on the same machine to the same clients. Response
times in milliseconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.burst import Pool, burst, guest_event
from tests.support.eventually import eventually
from tests.support.mariadb import PrivateServer
from tests.support.processes import ROOT, Function

# To gunicorn all guests have one address: the rate limit is off there.
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "benchmark" * 8,
    "PUBLIC_URL": "http://127.0.0.1",
    "SUBMISSIONS_PER_HOUR": "0",
}


def instances(server: PrivateServer, guests: int, rounds: int) -> None:
    """Ours."""
    with tempfile.TemporaryDirectory() as folder, Function(Path(folder), **server.server.environment()) as survey:
        pool = Pool(survey)
        for number in range(rounds):
            report(f"instances, round {number + 1} ({len(pool.free)} warm)", *burst(guests, pool.send))
        state(server)


def gunicorn(server: PrivateServer, guests: int, rounds: int) -> None:
    """The peer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    workers = 2 * (os.cpu_count() or 1)
    command = [sys.executable, "-m", "gunicorn", "-w", str(workers), "-b", f"127.0.0.1:{port}", "mydjango.wsgi"]
    variables = {**os.environ, **PRODUCTION, "PUBLIC_URL": f"http://127.0.0.1:{port}", **server.server.environment()}
    process = subprocess.Popen([*command, "--log-level", "error"], cwd=ROOT, env=variables, stderr=subprocess.DEVNULL)

    def send(number: int) -> int:
        event = guest_event(number)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        headers = {"Content-Type": "application/json", "Host": f"127.0.0.1:{port}"}
        connection.request("POST", "/submitSurvey", event["body"], headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def answers() -> bool:
        try:
            return send(0) == 201
        except OSError:
            return False

    try:
        eventually(answers)
        empty(server)
        for number in range(rounds):
            report(f"gunicorn, {workers} workers, round {number + 1}", *burst(guests, send))
        state(server)
    finally:
        process.terminate()
        process.wait()


def report(title: str, statuses: list[int], seconds: list[float]) -> None:
    """A row of the table."""
    accepted = statuses.count(201)
    times = [f"{1000 * value:6.0f}" for value in (max(seconds), statistics.median(seconds), min(seconds))]
    print(f"{title:38} {accepted:4}/{len(statuses)} answered 201   max {times[0]}  median {times[1]}  min {times[2]}")


def state(server: PrivateServer) -> None:
    """What is left in the database; empties it for the next."""
    rows = server.server.execute("SELECT COUNT(*) FROM survey.survey_response")[0][0]
    mails = server.server.execute("SELECT COUNT(*) FROM survey.survey_outgoingmail")[0][0]
    still_open = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = 'survey'"
    print(f"{'':38} {rows} rows, {mails} mails queued, {server.server.execute(still_open)[0][0]} connections open")
    empty(server)


def empty(server: PrivateServer) -> None:
    """Delete all answers."""
    tables = ("outgoingmail", "responseterm", "response")
    server.server.execute(*(f"DELETE FROM survey.survey_{table}" for table in tables))


def main() -> None:
    """Both, in turn, on one server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--guests", type=int, default=301)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with PrivateServer() as server:
        server.server.execute("CREATE DATABASE survey CHARACTER SET utf8mb4")
        environment = {**os.environ, **server.server.environment(), "DEBUG": "1"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
        limit = server.server.execute("SELECT @@max_connections")[0][0]
        print(json.dumps({"guests": options.guests, "cores": os.cpu_count(), "max_connections": limit}))
        instances(server, options.guests, options.rounds)
        gunicorn(server, options.guests, options.rounds)


if __name__ == "__main__":
    main()
