"""The local gateway: HTTP request -> event -> instance -> result -> HTTP response.

`faaskit serve`, or `python manage.py rungateway`.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.serving import make_server

from faaskit import check, project
from faaskit.django_settings import SettingsError, describe_database, describe_mail, read_settings
from faaskit.function_config import CONCURRENCY
from faaskit.gateways.invocation import SUCCESS, Invocation
from faaskit.gateways.registry import GATEWAYS, WEB
from faaskit.gateways.request import encode
from faaskit.local import local_function
from faaskit.local.http_request import RequestHandler, read_request
from faaskit.local.instance_pool import InstancePool
from faaskit.local.local_function import LocalFunction, LocalFunctionError
from faaskit.local.preparation import prepare_project
from faaskit.local.report import InvocationLog
from faaskit.local.web_gateway import WebGateway
from faaskit.local.web_instance import Bootstrap
from faaskit.local.web_pool import WebPool
from faaskit.timers import Timer, start_timers
from faaskit.web import bootstrap

BACKLOG = 1024  # connections that wait to be accepted
SHUTDOWN_GRACE = 5.0  # seconds for requests whose instance was ended to be reported


class GatewayApplication:
    """A WSGI application that turns each request into an event, as the named gateway does."""

    def __init__(self, name: str, function: LocalFunction, pool: InstancePool, log: InvocationLog, stage: str) -> None:
        self.gateway = GATEWAYS[name]
        self.function = function
        self.pool = pool
        self.log = log
        self.stage = stage
        self._active = 0
        self._changed = threading.Condition()

    def wait_for_requests(self, seconds: float) -> None:
        """Wait until the active requests are reported, for so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._active, seconds)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._changed:
            self._active += 1
        try:
            return self._respond(environ, start_response)
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def _respond(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request with one invocation."""
        invocation = Invocation()
        limit = self.gateway.platform.payload_limit
        try:
            request = read_request(environ, limit, invocation.request_id, self.stage)
        except OSError as error:
            start_response("400 Bad Request", [("Content-Type", "text/plain")])
            return [f"The request's body cannot be read: {error}.\n".encode()]
        event = self.gateway.build_event(request)
        self._run_event(invocation, event if isinstance(event, bytes) else encode(event))
        response = self.gateway.respond(invocation, {} if isinstance(event, bytes) else event)
        source = f"{request.method} {request.path}"
        self.log.record(self.function.launch, invocation, source, response.status, response.note)
        reason = HTTP_STATUS_CODES.get(response.status, "Unknown")
        start_response(f"{response.status} {reason}", response.wire_headers(request.method))
        return [response.wire_body(request.method)]

    def try_start(self) -> Invocation:
        """Start one instance and end it; return the outcome."""
        return self.pool.try_start()

    def restart(self) -> None:
        """Let the next events find new instances."""
        self.pool.restart()

    def close(self) -> None:
        """End every instance."""
        self.pool.close()

    def fire(self, timer: Timer, event: dict[str, str]) -> bool:
        """Run one timer event; return whether it succeeded."""
        invocation = Invocation()
        self._run_event(invocation, encode(event))
        self.log.record(self.function.launch, invocation, f"timer {timer.name}", None)
        return invocation.code == SUCCESS

    def _run_event(self, invocation: Invocation, payload: bytes) -> None:
        self.pool.run_event(invocation, payload, self.function.context(invocation.request_id))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `serve`."""
    parser.add_argument("address", nargs="?", default="127.0.0.1:9000", help="[ADDR:]PORT (default: 127.0.0.1:9000)")
    local_function.add_arguments(parser)
    parser.add_argument(
        "--gateway", choices=sorted([*GATEWAYS, WEB]), help="default: web for 'type: web', else function-url"
    )
    parser.add_argument("--instances", type=int, default=4, metavar="N", help="most instances at once (default: 4)")
    parser.add_argument("--idle", type=float, default=300, metavar="S", help="stop an unused instance (default: 300)")
    parser.add_argument("--freeze", action="store_true", help="stop instances between requests with SIGSTOP")
    parser.add_argument("--reload", action="store_true", help="restart the instances when the code changes")
    parser.add_argument(
        "--debug", action="store_true", help="one instance at this terminal, without a time limit: breakpoint() stops"
    )
    parser.add_argument("--no-timers", action="store_true", help="leave out the timers of serverless.yml")


def listen(address: str) -> socket.socket:
    """Return a listening socket. Raises LocalFunctionError where the address is malformed or in use."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    malformed = LocalFunctionError(f"{address} is not an address: write PORT or ADDR:PORT.")
    if not port.isdecimal() or int(port) > 65535:
        raise malformed
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=BACKLOG)
    except (TypeError, UnicodeError) as error:  # a host name that no DNS could hold
        raise malformed from error
    except OSError as error:
        reason = str(error.strerror or error).partition(" (while ")[0]  # Python adds the address
        raise LocalFunctionError(f"{host}:{port} cannot be served: {reason}.") from error


def reload_on_change(folder: Path, application: GatewayApplication | WebGateway, stop: threading.Event) -> None:
    """Restart the instances at each change of the code, until `stop` is set."""
    from watchfiles import PythonFilter, watch

    wanted = PythonFilter(extra_extensions=(".html", ".txt", ".mo", ".toml", ".yml"))
    for changes in watch(folder, watch_filter=wanted, stop_event=stop, raise_interrupt=False):
        names = sorted({Path(path).name for _, path in changes})
        print(f"Reload: {', '.join(names[:3])} changed", file=sys.stderr, flush=True)
        if "serverless.yml" in names:
            print("serverless.yml is read only at the start: restart the gateway to apply it", file=sys.stderr)
        application.restart()


def announce(function: LocalFunction, options: argparse.Namespace, url: str, timers: list[Timer]) -> None:
    """Print the function, its address, what it talks to, its limits and timers."""
    lines = [f"{function.config.name} ({_entry(function, options)}) behind {options.gateway} at {url}"]
    lines += [f"  {note}" for note in (*surroundings(function, options), *function.notes)]
    lines += [f"  timer {timer.name}: {timer.cron}, message {timer.message!r}" for timer in timers]
    lines.append("Quit with Control-C.")
    print("\n".join(lines), file=sys.stderr, flush=True)


def _entry(function: LocalFunction, options: argparse.Namespace) -> str:
    """Return what the platform starts, as the messages name it."""
    return "scf_bootstrap" if options.gateway == WEB else function.launch.handler


def surroundings(function: LocalFunction, options: argparse.Namespace) -> Iterator[str]:
    """Yield the databases and the mail server, and what will not work here as one might expect."""
    launch = function.launch
    target = launch.variables.get("WSGI_APPLICATION", "")
    settings = project.read(launch.folder).settings
    if settings:
        try:
            report = read_settings(launch.folder, settings, launch.python, launch.variables)
        except SettingsError as error:
            yield str(error)
            return
        yield f"database: {', '.join(map(describe_database, report['databases'])) or 'none'}"
        yield f"mail: {describe_mail(report)}"
        for name in check.sqlite_in(launch.folder, report) if options.strict else ():
            yield f"--strict: {name} is an SQLite file of the project, so nothing can be written to it"
        if options.gateway != WEB and not GATEWAYS[options.gateway].carries_binary:
            yield from check.binary_files(report["static_files"], options.gateway)
    else:
        servers = [item for item in function.config.environment.items() if item[0].endswith(("_HOST", "_URL"))]
        hosts = [f"{name} is {urlsplit(value).hostname or value}" for name, value in servers]
        yield f"database and mail: {', '.join(hosts) or 'the variables name none'}"
    if target and (sentence := check.lifespan(launch.folder, target)):
        yield sentence


def run(options: argparse.Namespace) -> int:
    """Serve until Control-C or SIGTERM. Raises LocalFunctionError and ProjectError."""
    if options.instances < 1:
        raise LocalFunctionError("--instances must be at least 1.")
    if not options.idle >= 0:
        raise LocalFunctionError(f"--idle {options.idle:g}: it must be 0 seconds or more.")
    if options.reload and find_spec("watchfiles") is None:
        raise LocalFunctionError("--reload needs watchfiles: run 'pip install watchfiles'.")
    if options.debug and not (os.name == "posix" and sys.stdin.isatty() and sys.stdout.isatty()):
        raise LocalFunctionError("--debug needs a terminal, of Linux or macOS, as standard input and output.")
    options.gateway = options.gateway or (WEB if local_function.read_config(options).is_web else "function-url")
    if options.gateway == WEB and (options.debug or os.name != "posix"):
        raise LocalFunctionError("--gateway web needs Linux or macOS, and takes no --debug: use function-url for that.")
    with listen(options.address) as listener:
        host, port = listener.getsockname()[:2]
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        url = f"http://{shown}:{port}"
        function = local_function.prepare(options, url)
        missing = check.missing_application(function.launch.folder, function.config, function.launch.variables)
        if missing:
            raise LocalFunctionError(missing)
        prepare_project(options, function)
        with kept_terminal() if options.debug else nullcontext(), running(function, options) as application:
            timers = [] if options.no_timers else [timer for timer in function.config.timers if timer.enabled]
            start_timers(timers, application.fire)
            server = make_server(
                host, port, application, threaded=True, request_handler=RequestHandler, fd=listener.fileno()
            )
            announce(function, options, url, timers)
            server.serve_forever()
    return 0


@contextmanager
def kept_terminal() -> Iterator[None]:
    """Restore the terminal's mode: a debugger that is ended at its prompt leaves it without echo."""
    import termios

    mode = termios.tcgetattr(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, mode)


@contextmanager
def running(function: LocalFunction, options: argparse.Namespace) -> Iterator[GatewayApplication | WebGateway]:
    """Hold the function's instances until Control-C or SIGTERM, then end them and print the summary."""
    log = InvocationLog(options.as_json)
    temporary = tempfile.TemporaryDirectory(prefix="web-function-")  # for the server of a Web function
    application = _application(function, options, log, Path(temporary.name))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        outcome = application.try_start()
        if outcome.code != SUCCESS:
            raise LocalFunctionError(f"{_entry(function, options)} cannot be started: {outcome.error}.")
        if options.reload:
            arguments = (function.launch.folder, application, stop)
            threading.Thread(target=reload_on_change, args=arguments, daemon=True).start()
        yield application
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Control-C would leave instances behind
        stop.set()
        application.close()
        application.wait_for_requests(SHUTDOWN_GRACE)
        temporary.cleanup()
        log.print_summary()


def _application(
    function: LocalFunction, options: argparse.Namespace, log: InvocationLog, temporary: Path
) -> GatewayApplication | WebGateway:
    """Return the gateway's application with the instances behind it."""
    launch, config = function.launch, function.config
    if options.gateway != WEB:
        pool = InstancePool(launch, 1 if options.debug else options.instances, options.idle)
        return GatewayApplication(options.gateway, function, pool, log, options.gateway_stage)
    threads = config.concurrency if config.is_web else CONCURRENCY
    folder = launch.folder
    if not (folder / bootstrap.NAME).is_file():  # as `package` would write it
        bootstrap.write(temporary, "3.10", threads)
        folder = temporary
    web_pool = WebPool(launch, Bootstrap.of(folder), options.instances, threads, options.idle)
    return WebGateway(function, web_pool, InstancePool(launch, 1, options.idle), log)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
