"""The local gateway: HTTP request -> event -> instance -> returned value -> HTTP answer.

`python manage.py rungateway`, or `python -m faaskit.local.serve` in a project without Django.
"""

from __future__ import annotations

import argparse
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from faaskit.gateways.invocation import SUCCESS, Invocation
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.request import HttpRequest, encode
from faaskit.local import local_function
from faaskit.local.instance_pool import InstancePool
from faaskit.local.local_function import LocalFunction, LocalFunctionError
from faaskit.local.report import InvocationLog
from faaskit.timers import Timer, TimerThread

BACKLOG = 1024  # connections that wait to be accepted
ENDING = 5.0  # seconds for requests whose instance was ended to be reported
REASONS = {
    406: "RequestTooLarge",
    407: "ResponseTooLarge",
    430: "UserCodeException",
    433: "TimeLimitReached",
    434: "MemoryLimitReached",
    439: "ProcessExit",
    443: "ImportError",
}


class RequestHandler(WSGIRequestHandler):
    """Keeps what WSGI does not: the request target as on the wire, and every header by itself."""

    protocol_version = "HTTP/1.1"
    raw_requestline: bytes

    def parse_request(self) -> bool:
        """Encode what the client should have: http.server splits the line at 85 and A0, white space in latin-1."""
        self.raw_requestline = re.sub(rb"[\x80-\xff]", lambda match: b"%%%02X" % match[0][0], self.raw_requestline)
        return super().parse_request()

    def make_environ(self) -> dict[str, Any]:
        """The environ, with the raw request beside it; http.server has already merged leading slashes in self.path."""
        environ = super().make_environ()
        target = self.requestline.split()[1]
        if not target.startswith("/") and "://" in target:  # absolute form (RFC 9112 3.2.2)
            target = re.sub(r"[^:]*://[^/?#]*", "", target, count=1)
            target = target if target.startswith("/") else "/" + target
        environ["gateway.target"] = quote(target, safe="/?#[]@!$&'()*+,;=:%~")
        environ["gateway.headers"] = [(name, _decoded(value)) for name, value in self.headers.items()]
        return environ

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the invocation's report says it."""


def _decoded(value: str) -> str:
    """A header value: http.server gives its bytes as latin-1; UTF-8 where they are that. Folded lines are one."""
    value = " ".join(value.splitlines())
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def read_request(environ: dict[str, Any], limit: int, request_id: str, stage: str) -> HttpRequest:
    """The HTTP request of a WSGI environ; the body is read up to one byte over the limit.

    OSError for a chunked body that is none.
    """
    headers = environ["gateway.headers"]
    chunked = environ.get("wsgi.input_terminated")
    length = environ.get("CONTENT_LENGTH", "")
    body = b""
    if chunked or length.isdecimal():
        body = environ["wsgi.input"].read(limit + 1 if chunked else min(int(length), limit + 1))
    if chunked:  # the gateway has it whole, and says its length
        headers = [pair for pair in headers if pair[0].lower() != "transfer-encoding"]
        headers.append(("Content-Length", str(len(body))))
    return HttpRequest(
        method=environ["REQUEST_METHOD"],
        target=environ["gateway.target"],
        headers=[pair for pair in headers if pair[0].lower() != "expect"],
        body=body,
        address=environ["REMOTE_ADDR"],
        scheme=environ["wsgi.url_scheme"],
        protocol=environ["SERVER_PROTOCOL"],
        request_id=request_id,
        stage=stage,
    )


class Gateway:
    """A WSGI application that does for each request what the named gateway does."""

    def __init__(self, name: str, function: LocalFunction, pool: InstancePool, log: InvocationLog, stage: str) -> None:
        self.name = name
        self.function = function
        self.pool = pool
        self.log = log
        self.stage = stage
        self._at_work = 0
        self._changed = threading.Condition()

    def wait_for_answers(self, seconds: float) -> None:
        """Let requests at work say what became of them."""
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work, seconds)

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._changed:
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request, one invocation."""
        with self._working():
            return self._answer(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        invocation = Invocation()
        limit = self.function.launch.platform.payload_limit
        try:
            request = read_request(environ, limit, invocation.request_id, self.stage)
        except OSError as error:
            start_response("400 Bad Request", [("Content-Type", "text/plain")])
            return [f"The request's body cannot be read: {error}.\n".encode()]
        built = GATEWAYS[self.name].build_event(request)
        payload = built if isinstance(built, bytes) else encode(built)
        self.pool.run_event(invocation, payload, self.function.context(invocation.request_id))
        response = GATEWAYS[self.name].respond(invocation, {} if isinstance(built, bytes) else built)
        what = f"{request.method} {request.path}"
        self.log.record(self.function.launch, invocation, what, response.status, response.note)
        start_response(f"{response.status} {_reason(response.status)}", response.wire_headers(request.method))
        return [response.wire_body(request.method)]

    def fire(self, timer: Timer, event: dict[str, str]) -> bool:
        """Run one timer event; whether it succeeded."""
        invocation = Invocation()
        payload = encode(event)
        self.pool.run_event(invocation, payload, self.function.context(invocation.request_id))
        self.log.record(self.function.launch, invocation, f"timer {timer.name}", None)
        return invocation.code == SUCCESS


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return REASONS.get(status, "Unknown")


# --- Command line ----------------------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser, folder: Path | None = None) -> None:
    """The options of `rungateway`."""
    parser.add_argument("address", nargs="?", default="127.0.0.1:9000", help="[ADDR:]PORT (default: 127.0.0.1:9000)")
    local_function.add_arguments(parser, folder)
    parser.add_argument("--instances", type=int, default=4, metavar="N", help="at most so many (default: 4)")
    parser.add_argument("--idle", type=float, default=300, metavar="S", help="stop an unused instance (default: 300)")
    parser.add_argument("--freeze", action="store_true", help="stop instances between requests with SIGSTOP")
    parser.add_argument("--reload", action="store_true", help="restart the instances when the code changes")
    parser.add_argument("--no-timers", action="store_true", help="leave out the timers of serverless.yml")


def listen(address: str) -> socket.socket:
    """A listening socket; LocalFunctionError where the address is none or is in use."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535:
        raise LocalFunctionError(f"{address} is not an address: write PORT or ADDR:PORT.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=BACKLOG)
    except (TypeError, UnicodeError) as error:  # of a name that no DNS could hold
        raise LocalFunctionError(f"{address} is not an address: write PORT or ADDR:PORT.") from error
    except OSError as error:
        reason = str(error.strerror or error).partition(" (while ")[0]  # Python adds the address
        raise LocalFunctionError(f"{host}:{port} cannot be served: {reason}.") from error


def make_gateway_server(listener: socket.socket, application: Callable[..., Any]) -> BaseWSGIServer:
    """Werkzeug's threaded server on that socket."""
    host, port = listener.getsockname()[:2]
    return make_server(host, port, application, threaded=True, request_handler=RequestHandler, fd=listener.fileno())


def reload_on_change(folder: Path, pool: InstancePool, stop: threading.Event) -> None:
    """Restart the instances at each change of the code, until told to stop."""
    from watchfiles import PythonFilter, watch

    wanted = PythonFilter(extra_extensions=(".html", ".txt", ".mo", ".toml", ".yml"))
    for changes in watch(folder, watch_filter=wanted, stop_event=stop, raise_interrupt=False):
        names = sorted({Path(path).name for _, path in changes})
        print(f"Reload: {', '.join(names[:3])} changed", file=sys.stderr, flush=True)
        if "serverless.yml" in names:
            print("serverless.yml is read at start only: start the gateway again to take it", file=sys.stderr)
        pool.restart()


def announce(function: LocalFunction, options: argparse.Namespace, url: str, timers: list[Timer]) -> None:
    """Say what runs where, and what this machine cannot do."""
    lines = [f"{function.config.name} ({function.launch.handler}) behind {options.gateway} at {url}"]
    lines += [f"  {note}" for note in function.notes]
    lines += [f"  timer {timer.name}: {timer.cron}, message {timer.message!r}" for timer in timers]
    lines.append("Quit with Control-C.")
    print("\n".join(lines), file=sys.stderr, flush=True)


def run(options: argparse.Namespace) -> None:
    """Serve until Control-C or SIGTERM; LocalFunctionError says in one sentence why not."""
    if options.instances < 1:
        raise LocalFunctionError("--instances must be at least 1.")
    if not options.idle >= 0:
        raise LocalFunctionError(f"--idle {options.idle:g}: it must be 0 seconds or more.")
    if options.reload and find_spec("watchfiles") is None:
        raise LocalFunctionError("--reload needs watchfiles: run 'pip install watchfiles'.")
    with listen(options.address) as listener:
        host, port = listener.getsockname()[:2]
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        url = f"http://{shown}:{port}"
        function = local_function.prepare(options, url)
        pool = InstancePool(function.launch, options.instances, options.idle)
        log = InvocationLog(options.as_json)
        gateway = Gateway(options.gateway, function, pool, log, options.stage)
        stop = threading.Event()
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            checked = pool.try_start()
            if checked.code != SUCCESS:
                raise LocalFunctionError(f"{function.launch.handler} cannot be started: {checked.error}.")
            timers = [] if options.no_timers else [timer for timer in function.config.timers if timer.enabled]
            TimerThread(timers, gateway.fire).start()
            if options.reload:
                arguments = (function.launch.folder, pool, stop)
                threading.Thread(target=reload_on_change, args=arguments, daemon=True).start()
            server = make_gateway_server(listener, gateway)
            announce(function, options, url, timers)
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Control-C would leave instances behind
            stop.set()
            pool.close()
            gateway.wait_for_answers(ENDING)
            log.print_summary()


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """The command without Django."""
    parser = argparse.ArgumentParser(prog="python -m faaskit.local.serve", description=__doc__)
    add_arguments(parser)
    try:
        run(parser.parse_args(arguments))
    except LocalFunctionError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
