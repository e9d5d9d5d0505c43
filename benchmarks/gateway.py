"""What does the local gateway add to a warm request, beside Werkzeug's server?

    python -m benchmarks.gateway [REQUESTS]

Takes turns, request by request: the handler called in this process, the plain WSGI application under Werkzeug's server,
the local gateway behind a Function URL. Each HTTP request has a connection of its own, since Werkzeug closes each.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.servers import PRODUCTION, serving
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.request import HttpRequest

TARGET = "/hello/?name=Tom"
WARM_UP = 30  # requests
ROUNDS = 7
PLAIN = """
import sys
from mydjango.wsgi import application
from werkzeug.serving import WSGIRequestHandler, make_server
WSGIRequestHandler.log_request = lambda self, *arguments: None
server = make_server("127.0.0.1", 0, application, threaded=True)
print(f"http://127.0.0.1:{server.port}", file=sys.stderr, flush=True)
server.serve_forever()
"""


def get(port: int) -> None:
    """Send one request over a new connection; SystemExit where the response is wrong."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", TARGET)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if (response.status, body) != (200, b"Hello world ! Tom"):
        raise SystemExit(f"{TARGET} got {response.status}: {body[:200]!r}")


def milliseconds(way: Callable[[], object]) -> float:
    """Return how long one call takes."""
    started = time.perf_counter()
    way()
    return (time.perf_counter() - started) * 1_000


def measure(command: list[str], requests: int) -> dict[str, list[float]]:
    """Return the median of each round by the way that a request takes."""
    os.environ.update(PRODUCTION)
    import index

    headers = [("Host", "127.0.0.1"), ("Accept-Encoding", "identity")]
    event = GATEWAYS["function-url"].build_event(HttpRequest("GET", TARGET, headers, scheme="http"))
    with serving("-c", PLAIN) as plain, serving(*command) as local:
        ways: dict[str, Callable[[], object]] = {
            "handler in this process": lambda: json.dumps(index.main_handler(event, {})),
            "Werkzeug, plain application": lambda: get(plain),
            "rungateway, Function URL": lambda: get(local),
        }
        for _ in range(WARM_UP):
            for way in ways.values():
                way()
        # In turn, request by request: whatever else the machine does strikes all alike.
        rounds = [[[milliseconds(way) for way in ways.values()] for _ in range(requests)] for _ in range(ROUNDS)]
    medians = [[median(of_way) for of_way in zip(*one_round, strict=True)] for one_round in rounds]
    return dict(zip(ways, map(list, zip(*medians, strict=True)), strict=True))


def main(requests: int) -> None:
    """Print the medians of each way, their range over the rounds, and what the gateway adds."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "serverless.yml")
        config.write_text("name: survey\ninputs: {timeout: 60}\n", encoding="utf-8")
        measured = measure(["-m", "faaskit", "serve", "0", f"--config={config}", "--no-timers"], requests)
    print(f"Warm GET {TARGET}, {ROUNDS} rounds of {requests}, milliseconds")
    print(f"{'':30} {'median':>8} {'least':>8} {'most':>8}")
    for name, values in measured.items():
        print(f"{name:30} {median(values):8.2f} {min(values):8.2f} {max(values):8.2f}")
    direct, werkzeug, gateway = map(median, measured.values())
    print(f"The gateway adds {gateway - direct:.2f} ms to the handler; Werkzeug {werkzeug - direct:.2f} ms.")
    print(f"The gateway's request is {gateway / werkzeug:.2f} of Werkzeug's.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
