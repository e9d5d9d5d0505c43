"""What does the local gateway add to a warm request, beside Werkzeug's server? And does it mix up 300 clients at once?

    python -m benchmarks.gateway [--rounds 7] [--requests 200] [--seconds 20] [--gateway function-url]

Takes turns, request by request: the handler called in this process, the plain WSGI application under Werkzeug's server,
the local gateway. Each HTTP request has a connection of its own, since Werkzeug's server closes each.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

from benchmarks.servers import PRODUCTION, serving
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.request import HttpRequest

TARGET = "/hello/?name="
WARM_UP = 30  # requests
CLIENTS = 300
PLAIN = """
import sys
from mydjango.wsgi import application
from werkzeug.serving import WSGIRequestHandler, make_server
WSGIRequestHandler.log_request = lambda self, *arguments: None
server = make_server("127.0.0.1", 0, application, threaded=True)
print(f"http://127.0.0.1:{server.port}", file=sys.stderr, flush=True)
server.serve_forever()
"""


def get(port: int, name: str) -> float:
    """Request a greeting and return the milliseconds; SystemExit where it is not for this name."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", TARGET + name)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if (response.status, body) != (200, f"Hello world ! {name}".encode()):
        raise SystemExit(f"{name} got {response.status}: {body[:200]!r}")
    return (time.perf_counter() - started) * 1_000


def compare(rounds: int, requests: int, gateway: str, *command: str) -> None:
    """Print the medians of each way, their range over the rounds, and what the gateway adds."""
    os.environ.update(PRODUCTION)
    import index

    headers = [("Host", "127.0.0.1"), ("Accept-Encoding", "identity")]
    event = GATEWAYS[gateway].build_event(HttpRequest("GET", f"{TARGET}Tom", headers, scheme="http"))

    def handle() -> float:
        started = time.perf_counter()
        json.dumps(index.main_handler(event, {}))
        return (time.perf_counter() - started) * 1_000

    with serving("-c", PLAIN) as plain, serving(*command) as local:
        ways: dict[str, Callable[[], float]] = {
            "handler in this process": handle,
            "Werkzeug, plain application": lambda: get(plain, "Tom"),
            f"rungateway ({gateway})": lambda: get(local, "Tom"),
        }
        for way in ways.values():
            for _ in range(WARM_UP):
                way()
        # In turn, request by request: whatever else the machine does strikes all alike.
        times = [[[way() for way in ways.values()] for _ in range(requests)] for _ in range(rounds)]
    print(f"Warm GET {TARGET}Tom, {rounds} rounds of {requests}, milliseconds")
    print(f"{'':30} {'median':>8} {'least':>8} {'most':>8}")
    medians = []
    for number, name in enumerate(ways):
        of_rounds = [median(row[number] for row in one_round) for one_round in times]
        medians.append(median(of_rounds))
        print(f"{name:30} {medians[-1]:8.2f} {min(of_rounds):8.2f} {max(of_rounds):8.2f}")
    direct, werkzeug, through = medians
    print(f"The gateway adds {through - direct:.2f} ms to the handler; Werkzeug {werkzeug - direct:.2f} ms.")
    print(f"The gateway's request is {through / werkzeug:.2f} of Werkzeug's.")


def flood(seconds: float, *command: str) -> None:
    """Let 300 clients request greetings from eight instances; each must get its own."""
    with serving(*command, "--instances", "8") as port:
        get(port, "Tom")
        end = time.monotonic() + seconds

        def client(_number: int) -> list[float]:
            times = []
            while time.monotonic() < end:
                times.append(get(port, uuid.uuid4().hex))
            return times

        with ThreadPoolExecutor(CLIENTS) as clients:
            times = [one for of_client in clients.map(client, range(CLIENTS)) for one in of_client]
    cuts = quantiles(times, n=100)
    print(f"{CLIENTS} clients, {seconds:g} s, 8 instances: {len(times)} right, none wrong, crossed or lost;")
    print(f"{len(times) / seconds:.0f} a second; p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms")


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--gateway", default="function-url", choices=GATEWAYS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "serverless.yml")
        config.write_text("name: survey\ninputs: {timeout: 60}\n", encoding="utf-8")
        command = (
            "-m",
            "faaskit.local.serve",
            "0",
            f"--gateway={options.gateway}",
            f"--config={config}",
            "--no-timers",
        )
        compare(options.rounds, options.requests, options.gateway, *command)
        flood(options.seconds, *command)


if __name__ == "__main__":
    main()
