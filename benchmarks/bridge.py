"""What a bridge adds to a request, and which bridges get what right: index.py and five peers, in turn in one run.

python -m benchmarks.bridge            (in a Python 3.10 environment with requirements-bench.txt)
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import platform
import py_compile
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path

import index
from conformance.__main__ import main as conformance
from conformance.check import CONTEXT
from conformance.peers import BRIDGES

ROOT = Path(__file__).parent.parent
HEADERS = {
    "Accept": "application/json, text/plain, */*",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8",
    "CloudFront-Viewer-Country": "CN",
    "Content-Type": "application/json",
    "Cookie": "sessionid=abc; csrftoken=def",
    "Host": "abc123.execute-api.eu-west-1.amazonaws.com",
    "Origin": "https://survey.example.com",
    "Referer": "https://survey.example.com/",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Via": "2.0 d111111abcdef8.cloudfront.net (CloudFront)",
    "X-Amzn-Trace-Id": "Root=1-5e66d96f-7491f09xmpl79d18acf3d050",
    "X-Forwarded-For": "203.0.113.7, 10.1.2.3",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
}
ANSWER_HEADERS = {"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Vary": "Accept-Language, Cookie"}
BLOCK = 20  # calls of one bridge before the next has its turn
QUERY = {"lang": ["zh"], "branch": ["12"], "source": ["table 4"]}


def rest_event() -> dict[str, Any]:
    """A JSON post through API Gateway REST with 15 headers and 3 query parameters."""
    event = json.loads((ROOT / "tests" / "events" / "aws-rest.json").read_text("utf-8"))
    event["requestContext"]["authorizer"] = None
    return event | {
        "httpMethod": "POST",
        "path": "/submitSurvey",
        "headers": HEADERS,
        "multiValueHeaders": {name: [value] for name, value in HEADERS.items()},
        "queryStringParameters": {name: values[-1] for name, values in QUERY.items()},
        "multiValueQueryStringParameters": QUERY,
        "body": json.dumps({"name": "Tom", "phone": "1234567890", "satisfaction": 5}),
    }


def view(request: HttpRequest) -> JsonResponse:
    """Reads the body, answers JSON."""
    answer = {"satisfaction": json.loads(request.body)["satisfaction"]}
    return JsonResponse(answer, status=201, headers=ANSWER_HEADERS)


urlpatterns = [path("submitSurvey", view)]


def django_application() -> Any:
    """The smallest Django project with the view, for WSGI and (Mangum) for ASGI."""
    settings.configure(
        ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="bench", MIDDLEWARE=[], LOGGING_CONFIG=None
    )
    django.setup()
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application

    application: Any = get_wsgi_application()
    application.asgi = get_asgi_application()
    return application


class Timed:
    """The application with a clock: what passes outside of it is the bridge's."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.inside = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start = time.perf_counter()
        response = self.application(environ, start_response)
        body = b"".join(response)
        response.close()
        self.inside = time.perf_counter() - start
        return [body]

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """The same for Mangum."""
        start = time.perf_counter()
        await self.application.asgi(scope, receive, send)
        self.inside = time.perf_counter() - start


def answer_at_once(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """The view's answer without Django: what is left is the bridge."""
    start_response("201 Created", [("Content-Type", "application/json"), *ANSWER_HEADERS.items()])
    return [b'{"satisfaction": 5}']


class Direct:
    """Calls the application without a bridge, each time with an environ that was made before."""

    def __init__(self, application: Callable[..., Any], event: dict[str, Any]) -> None:
        body = event["body"].encode()
        environ = index.build_environ(index.AWS_REST, event, None, "POST", "r-1")
        environ["CONTENT_LENGTH"] = str(len(body))
        self.application = application
        self.environs = ({**environ, "wsgi.input": io.BytesIO(body)} for _ in itertools.count())
        self.ready: list[dict[str, Any]] = []

    def prepare(self, calls: int) -> None:
        """Make the environs of the next calls."""
        self.ready += itertools.islice(self.environs, calls)

    def __call__(self, event: dict[str, Any]) -> None:
        self.application(self.ready.pop(), lambda status, headers: None)


def bound(handler: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """The handler with the context that every call has."""
    return lambda event: handler(event, CONTEXT)


def around_django(calls: int) -> dict[str, list[float]]:
    """What each bridge adds to a request that a Django view answers, in microseconds a call."""
    timed, event = Timed(django_application()), rest_event()
    subjects: dict[str, Callable[[Any], Any]] = {}
    for name, make in BRIDGES.items():
        with contextlib.redirect_stdout(io.StringIO()):  # Zappa says that it starts
            subjects[name] = bound(make(timed))
            answer = subjects[name](event)
        if int(answer["statusCode"]) != 201 or json.loads(answer["body"]) != {"satisfaction": 5}:
            raise SystemExit(f"{name} does not answer the benchmark's event: {answer}")
    direct = subjects["direct"] = Direct(timed, event)
    outside: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(calls // BLOCK):
        for name in list(subjects) if number % 2 else reversed(subjects):
            subject = subjects[name]
            direct.prepare(BLOCK + 1)
            subject(event)  # warm the processor's caches after the others
            for _ in range(BLOCK if name != "Mangum" else 1):
                start = time.perf_counter()
                subject(event)
                outside[name].append((time.perf_counter() - start - timed.inside) * 1e6)
            direct.ready.clear()
    least = median(outside.pop("direct"))
    return {name: [value - least for value in values] for name, values in outside.items()}


def alone(rounds: int) -> dict[str, list[float]]:
    """What each bridge adds to an application that answers at once, again and again: means of rounds."""
    event = rest_event()
    with contextlib.redirect_stdout(io.StringIO()):
        subjects: dict[str, Callable[[Any], Any]] = {
            name: bound(make(answer_at_once)) for name, make in BRIDGES.items()
        }
    direct = subjects["direct"] = Direct(answer_at_once, event)
    means: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            direct.prepare(10 * BLOCK)
            start = time.perf_counter()
            for _ in range(10 * BLOCK):
                subject(event)
            means[name].append((time.perf_counter() - start) / (10 * BLOCK) * 1e6)
            direct.ready.clear()
    least = median(means.pop("direct"))
    return {name: [value - least for value in values] for name, values in means.items()}


def speed(calls: int) -> None:
    """Print what each bridge adds to calling the application directly."""
    print(f"One POST of JSON through API Gateway REST: {len(HEADERS)} headers, {len(QUERY)} query parameters,")
    print(f"Django {django.get_version()}, Python {platform.python_version()}; medians of {calls} calls [quartiles].")
    for title, added in (("around a Django view", around_django(calls)), ("alone, warm", alone(calls // 100))):
        print(f"\n| {title:20} | a bridge adds, us     | of apig-wsgi | of serverless-wsgi |")
        print(f"|{'-' * 22}|{'-' * 23}|{'-' * 14}|{'-' * 20}|")
        for name, values in added.items():
            low, middle, high = quantiles(values, n=4)
            of_apig, of_serverless = middle / median(added["apig-wsgi"]), middle / median(added["serverless-wsgi"])
            cell = f"{middle:.1f} [{low:.1f}, {high:.1f}]"
            print(f"| {name:20} | {cell:21} | {of_apig:12.2f} | {of_serverless:18.2f} |")


def import_cost(runs: int) -> None:
    """Print what `import index` costs in a process that has Django."""
    code = (
        "import time, django.core.wsgi, django.urls, django.http; start = time.process_time(); import index; "
        "print((time.process_time() - start) * 1000)"
    )
    py_compile.compile(str(ROOT / "index.py"))  # byte code, as it is shipped
    costs = [float(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT)) for _ in range(runs + 1)][1:]
    print(f"\nimport index, beyond Django: {median(costs):.2f} ms of CPU (median of {runs}, most {max(costs):.2f}).")


def main() -> None:
    """Run all three parts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=4000)
    arguments = parser.parse_args()
    with contextlib.redirect_stderr(io.StringIO()):
        speed(arguments.calls)
    import_cost(11)
    print()
    conformance([])


if __name__ == "__main__":
    main()
