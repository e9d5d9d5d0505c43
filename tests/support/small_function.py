"""Serve the whole project as a function: `python -m tests.support.small_function` prints its peak memory as JSON.

One request of each kind, then 200 mixed requests through index.main_handler, on the environment's database, which must
be migrated.
"""

from __future__ import annotations

import gc
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from faaskit.local.memory_limit import Cgroup
from survey.text.views import SAMPLE

PROJECT = Path(__file__).parents[2]
MIXED_REQUESTS = 200


def event(method: str, path: str, body: object = None, **query: str) -> dict[str, Any]:
    """Return an event of a Function URL."""
    headers = {"x-scf-remote-addr": "198.51.100.7", "accept": "*/*"}
    if body is not None:
        headers["content-type"] = "application/json"
    return {
        "httpMethod": method,
        "path": path,
        "queryString": query,
        "headers": headers,
        "requestContext": {"sourceIp": "198.51.100.7"},
        "body": "" if body is None else json.dumps(body),
    }


def requests(chance: random.Random) -> list[tuple[int, dict[str, Any]]]:
    """Return one request of each kind with the status of its response."""
    words = "".join(chance.choices("服务员态度很热情火锅味道好吃环境干净上菜太慢价格贵等位龘靐齉", k=400))
    phone = chance.randrange(10**9)
    submission = {"name": "王芳", "phone": f"139{phone:09}", "satisfaction": 1 + phone % 5, "comment": words[:200]}
    return [
        (200, event("GET", "/hello/", name="王芳")),
        (200, event("GET", "/")),
        (201, event("POST", "/submitSurvey", {**submission, "email": "guest@example.com"})),
        (200, event("GET", "/dashboard/login/")),
        (200, event("GET", "/jieba/")),
        (200, event("POST", "/jieba/", {"text": words, "topK": 100})),
        (200, event("POST", "/jieba/", {"text": SAMPLE * 10})),
        (200, event("GET", "/healthz")),
        (404, event("GET", f"/missing/{phone}")),
    ]


def main() -> None:
    import index

    chance = random.Random(64)
    mixed = [request for _ in range(MIXED_REQUESTS) for request in requests(chance)]
    for status, request in requests(chance) + chance.sample(mixed, MIXED_REQUESTS):
        result = index.main_handler(request, {})
        assert result["statusCode"] == status, (request["path"], result["statusCode"], result["body"][:500])
        if request["path"] == "/jieba/":
            analysis = json.loads(result["body"])
            assert analysis["words"]
            assert analysis["keywords"]
            assert analysis["textrank"]
    gc.collect()
    status_file = Path("/proc/self/status").read_text()
    fields = {"peak MB": "VmHWM:", "own MB": "RssAnon:"}  # own: pages that the system cannot drop and read again
    print(json.dumps({name: int(status_file.split(field)[1].split()[0]) / 1024 for name, field in fields.items()}))


def run(environment: dict[str, str], group: Cgroup | None = None) -> subprocess.CompletedProcess[str]:
    """Run `main` in a process of its own, within the limit of `group` if given."""
    command = [sys.executable, "-m", "tests.support.small_function"]
    return subprocess.run(
        group.command(command) if group else command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def prepare(environment: dict[str, str]) -> None:
    """Do what a deployment does before the first request: migrate, build the lexicon, compile bytecode."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=PROJECT, env={**os.environ, **environment}, check=True)
    unlimited = run(environment)
    assert unlimited.returncode == 0, unlimited.stderr


if __name__ == "__main__":
    main()
