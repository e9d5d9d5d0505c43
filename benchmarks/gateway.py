"""What the local gateway adds to a warm request, beside Werkzeug's own serving; and 300 clients at once.

    python -m benchmarks.gateway [--rounds 7] [--requests 200] [--seconds 20] [--gateway function-url]

In turn in one process tree: the handler called in this process (no HTTP), the plain WSGI application under Werkzeug's
server, the local gateway. Every request of the last two is a connection of its own, since Werkzeug closes each.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = "/hello/?name=Tom"
WARM_UP = 30  # requests
CLIENTS = 300

PLAIN = """
import socket, sys
from mydjango.wsgi import application
from werkzeug.serving import WSGIRequestHandler, make_server
class Quiet(WSGIRequestHandler):
    def log_request(self, *arguments): pass
server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
print(f"at http://127.0.0.1:{server.port}", file=sys.stderr, flush=True)
server.serve_forever()
"""


@contextmanager
def serving(*command: str, environ: dict[str, str] | None = None) -> Iterator[int]:
    """A server process; its port."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | (environ or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"at http://127\.0\.0\.1:(\d+)", line):
            break
    else:
        raise SystemExit("".join(said))
    threading.Thread(target=process.stderr.read, daemon=True).start()
    try:
        yield int(found[1])
    finally:
        process.terminate()
        process.wait()


def get(port: int, target: str = TARGET) -> bytes:
    """One request over a new connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", target)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status != 200:
        raise SystemExit(f"{target} was answered {response.status}: {body[:200]!r}")
    return body


def once(call: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def compare(rounds: int, requests: int, gateway: str, config: str) -> None:
    """Print the medians of each way, their spread over the rounds, and what the gateway adds."""
    production = {"DEBUG": "0", "SECRET_KEY": uuid.uuid4().hex * 2, "PUBLIC_URL": "http://127.0.0.1"}
    os.environ.update(production | {"DJANGO_SETTINGS_MODULE": "mydjango.settings"})
    import index
    from faaskit.gateways.registry import GATEWAYS
    from faaskit.gateways.request import HttpRequest

    headers = [("Host", "127.0.0.1"), ("Accept-Encoding", "identity")]
    event = GATEWAYS[gateway].build_event(HttpRequest("GET", TARGET, headers, scheme="http"))
    gateway_command = ("-m", "faaskit.local.serve", "0", "--gateway", gateway, "--config", config, "--no-timers")
    with serving("-c", PLAIN, environ=production) as plain, serving(*gateway_command) as local:
        ways: dict[str, Callable[[], object]] = {
            "handler in this process": lambda: json.dumps(index.main_handler(event, {})),
            "Werkzeug, plain application": lambda: get(plain),
            f"rungateway ({gateway})": lambda: get(local),
        }
        measured: dict[str, list[float]] = {name: [] for name in ways}
        for call in ways.values():
            for _ in range(WARM_UP):
                call()
        for _ in range(rounds):
            # In turn, request by request: what else the machine does strikes all alike.
            times = [[once(call) for call in ways.values()] for _ in range(requests)]
            for name, one in zip(ways, zip(*times, strict=True), strict=True):
                measured[name].append(statistics.median(one))
    print(f"Warm GET {TARGET}, {rounds} rounds of {requests}, milliseconds")
    print(f"{'':30} {'median':>8} {'least':>8} {'most':>8}")
    for name, values in measured.items():
        print(f"{name:30} {statistics.median(values):8.2f} {min(values):8.2f} {max(values):8.2f}")
    direct, werkzeug, through = (statistics.median(values) for values in measured.values())
    print(f"The gateway adds {through - direct:.2f} ms to the handler; Werkzeug {werkzeug - direct:.2f} ms.")
    print(f"The gateway's request is {through / werkzeug:.2f} of Werkzeug's.")


def flood(seconds: float, gateway: str, config: str) -> None:
    """300 clients through eight instances; each answer must carry its own nonce."""
    command = ("-m", "faaskit.local.serve", "0", "--gateway", gateway, "--config", config, "--no-timers")
    with serving(*command, "--instances", "8") as port:
        get(port)
        until = time.monotonic() + seconds

        def client(number: int) -> tuple[int, int, list[float]]:
            right = wrong = 0
            times = []
            while time.monotonic() < until:
                nonce = f"{number}-{uuid.uuid4().hex}"
                started = time.perf_counter()
                body = get(port, f"/hello/?name={nonce}")
                times.append((time.perf_counter() - started) * 1000)
                if body == f"Hello world ! {nonce}".encode():
                    right += 1
                else:
                    wrong += 1
            return right, wrong, times

        with ThreadPoolExecutor(CLIENTS) as clients:
            results = list(clients.map(client, range(CLIENTS)))
    right, wrong = sum(result[0] for result in results), sum(result[1] for result in results)
    cuts = statistics.quantiles([one for result in results for one in result[2]], n=100)
    print(f"{CLIENTS} clients, {seconds:g} s, 8 instances: {right} right, {wrong} wrong or crossed, none lost;")
    print(f"{right / seconds:.0f} a second; p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms")
    if wrong:
        raise SystemExit(1)


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--gateway", default="function-url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "serverless.yml")
        config.write_text("name: survey\ninputs: {timeout: 60}\n", encoding="utf-8")
        compare(options.rounds, options.requests, options.gateway, str(config))
        flood(options.seconds, options.gateway, str(config))


if __name__ == "__main__":
    main()
