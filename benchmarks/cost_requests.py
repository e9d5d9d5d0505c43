"""Let guests visit the survey, for benchmarks/cost.py; print as JSON what each step of a visit takes.

    python cost_requests.py VISITS

The database of the environment has the branch sh01. A step's figures are means: `cpu` in ms, `statements` that reach
the database, `bytes` of the response, `log` in bytes without the platform's own lines.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
import uuid
from collections import defaultdict
from typing import Any

import pymysql

HEADERS = {"host": "127.0.0.1", "accept": "*/*", "accept-language": "zh-CN,zh;q=0.9"}
FULL = {"name": "Tom", "phone": "1234567890", "satisfaction": 5, "branch": "sh01", "email": "tom@example.com"}
FULL["comment"] = "服务员态度很好，排队太久"
FILES = ("survey.css", "survey.js", "submit.js")
WARM_UP = 10  # visits
Event = dict[str, Any]


def event(method: str, path: str, body: object = None) -> Event:
    """Return the event of a Function URL."""
    headers = {**HEADERS, "content-type": "application/json", "idempotency-key": str(uuid.uuid4())}
    text = "" if body is None else json.dumps(body)
    return {
        "httpMethod": method,
        "path": path,
        "headers": headers,
        "requestContext": {"sourceIp": "1.1.1.1"},
        "body": text,
    }


class Measured:
    """The sums of each step."""

    def __init__(self) -> None:
        import index

        self.handle = index.main_handler
        self.log = io.StringIO()
        sys.stderr.write = self.log.write  # type: ignore[method-assign]  # the log's handler holds this stream
        self.sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        place = {name: os.environ[f"MYSQL_{name.upper()}"] for name in ("host", "user", "password", "database")}
        self.status = pymysql.connect(**place, port=int(os.environ["MYSQL_PORT"])).cursor()

    def questions(self) -> int:
        """Return how many statements the server has had."""
        self.status.execute("SHOW GLOBAL STATUS LIKE 'Questions'")
        return int(self.status.fetchone()[1])

    def send(self, step: str, event: Event) -> Any:
        """Send an event and add what it takes to the sums of the step; exit where it fails."""
        before, logged = self.questions(), self.log.tell()
        start = time.process_time()
        result = self.handle(event, {})
        cpu = time.process_time() - start
        if result.get("statusCode", 200) >= 400:
            sys.exit(f"{step}: {result}")
        sums = self.sums[step]
        sums["count"] += 1
        sums["cpu"] += 1000 * cpu
        sums["statements"] += self.questions() - before - 1  # less the question itself
        sums["bytes"] += len(str(result.get("body", "")).encode())
        sums["log"] += self.log.tell() - logged
        return result


def visit(measured: Measured) -> None:
    """Open the page with its files, send it, read the thanks; a timer of each kind runs beside."""
    measured.send("the page", event("GET", "/s/sh01"))
    for name in FILES:
        measured.send("a static file", event("GET", f"/static/survey/{name}"))
    stored = json.loads(measured.send("the submission", event("POST", "/submitSurvey", FULL))["body"])
    measured.send("the thanks", event("GET", f"/thanks/{stored['reference']}"))
    measured.send("timer: mail", {"Type": "Timer", "Message": "drain_outbox --seconds 45"})
    measured.send("timer: figures", {"Type": "Timer", "Message": "update_figures --seconds 20"})


def main(visits: int) -> None:
    """Warm up, then measure."""
    measured = Measured()
    for _ in range(WARM_UP):
        visit(measured)
    measured.sums.clear()
    for _ in range(visits):
        visit(measured)
    means = {}
    for step, sums in measured.sums.items():
        count = sums.pop("count")
        means[step] = {name: total / count for name, total in sums.items()}
    print(json.dumps(means))


if __name__ == "__main__":
    main(int(sys.argv[1]))
