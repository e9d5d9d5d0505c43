"""Send rounds of one warm request, for benchmarks/warm.py; print the CPU milliseconds of one request of each round.

    python warm_requests.py EVENT STATUS

Runs in the folder whose index.py is measured, of this release or the one before. EVENT is JSON; a number calls the
smallest Django view after a pause of so many milliseconds. The first line of stdin is the number of requests of a
round, every later line runs a round.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

WARM_UP = 20  # requests


def smallest_view() -> Callable[[Any], None]:
    """Return a function that sends one request to the smallest Django project."""
    from first_request import smallest_project

    smallest_project(None)
    from wsgiref.util import setup_testing_defaults

    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    def send(pause: Any) -> None:
        if pause:
            time.sleep(pause / 1_000)
        environ = {"PATH_INFO": "/hello/", "QUERY_STRING": "name=Tom"}
        setup_testing_defaults(environ)
        response = application(environ, lambda status, headers: None)
        b"".join(response)
        response.close()

    return send


def through_index(status: int) -> Callable[[Any], None]:
    """Return a function that sends an event to the function; it exits on another status."""
    import index

    def send(event: Any) -> None:
        result = index.main_handler(event, {})
        if result["statusCode"] != status:
            sys.exit(f"unexpected result: {result}")

    return send


def main(event: str, status: str) -> None:
    """Warm up, then run rounds."""
    send = smallest_view() if event.isdecimal() else through_index(int(status))

    def events(count: int) -> list[Any]:
        """Return copies of the event, each with an idempotency key of its own."""
        return [json.loads(event.replace("IDEMPOTENCY_KEY", str(uuid.uuid4()))) for _ in range(count)]

    for one in events(WARM_UP):
        send(one)
    count = int(sys.stdin.readline())
    print("ready", flush=True)
    for _line in sys.stdin:
        round_of_events = events(count)
        start = time.process_time()
        for one in round_of_events:
            send(one)
        print(1_000 * (time.process_time() - start) / count, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
