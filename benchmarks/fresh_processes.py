"""Fresh instances that take turns, each with one request, and what they cost."""

from __future__ import annotations

import json
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.request import HttpRequest

FIRST_REQUEST = str(Path(__file__).with_name("first_request.py"))
HEADERS = [("Host", "survey.example.com"), ("Accept", "*/*"), ("Content-Type", "application/json")]
SUBMISSION = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}
COMMENTED = {**SUBMISSION, "comment": "服务员态度很好，排队太久"}


class Route(NamedTuple):
    """A request, and what its response must have."""

    title: str
    target: str
    status: int
    text: str
    body: dict[str, object] | None = None


ROUTES = {
    "hello": Route("GET /hello/", "/hello/?name=Tom", 200, "Hello world ! Tom"),
    "page": Route("GET /", "/", 200, "<form"),
    "submit": Route("POST /submitSurvey", "/submitSurvey", 201, "reference", SUBMISSION),
    "comment": Route("POST /submitSurvey with a comment", "/submitSurvey", 201, "reference", COMMENTED),
    "jieba": Route("GET /jieba/", "/jieba/", 200, "Serverless"),
}


class Cost(NamedTuple):
    """CPU until the response, CPU and wall time until the exit, in ms; peak memory in MB."""

    cpu: float
    cpu_with_exit: float
    wall: float
    memory: float


def command(python: list[str], folders: str, bridge: str, name: str = "hello", *analysis: str) -> list[str]:
    """Return the command of an instance that gets one request; benchmarks/first_request.py explains the arguments."""
    route = ROUTES[name]
    body = json.dumps(route.body).encode() if route.body else b""
    request = HttpRequest("POST" if body else "GET", route.target, HEADERS, body)
    # The peers read the events of AWS's REST gateway.
    event = GATEWAYS["function-url" if bridge == "index.py" else "aws-rest"].build_event(request)
    return [*python, FIRST_REQUEST, folders, bridge, json.dumps(event), str(route.status), route.text, *analysis]


def in_turn(commands: dict[str, list[str]], rounds: int, environment: dict[str, str]) -> dict[str, list[Cost]]:
    """Run each command once a round and return the costs; SystemExit where a response is wrong."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, words in commands.items():
            began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(words, env=environment, capture_output=True, text=True)
            wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
            if done.returncode:
                sys.exit(f"{shlex.join(words)} failed:\n{done.stderr[-4000:]}")
            with_exit = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            cpu, memory = map(float, done.stdout.split()[-2:])
            costs[name].append(Cost(cpu * 1_000, with_exit * 1_000, wall * 1_000, memory))
    return costs
