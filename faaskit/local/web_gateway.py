"""The local gateway in front of a Web function: HTTP requests go to scf_bootstrap's port, timers to the event function.

Sources: Tencent 583/56124 (headers, limits); what no document says is marked in docs/gateway.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPException
from typing import Any
from wsgiref.util import is_hop_by_hop

from werkzeug.http import HTTP_STATUS_CODES

from faaskit.gateways import tencent
from faaskit.gateways.invocation import EVENT_TOO_LARGE, RESULT_TOO_LARGE, SUCCESS, Invocation
from faaskit.gateways.request import HttpRequest, encode
from faaskit.local.http_request import read_request
from faaskit.local.instance_pool import InstancePool
from faaskit.local.local_function import LocalFunction
from faaskit.local.report import InvocationLog
from faaskit.local.web_instance import Exchange, WebInstance
from faaskit.local.web_pool import WebPool
from faaskit.timers import Timer

HEADER_LIMIT = 4096  # bytes of a response's header names and values

StartResponse = Callable[..., Any]


class WebGateway:
    """A WSGI application that passes each request to an instance, and its response back as it arrives."""

    def __init__(self, function: LocalFunction, pool: WebPool, jobs: InstancePool, log: InvocationLog) -> None:
        self.function, self.pool, self.jobs, self.log = function, pool, jobs, log
        self.limit = function.launch.platform.payload_limit
        self._active = 0
        self._changed = threading.Condition()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        invocation = Invocation()
        try:
            request = read_request(environ, self.limit, invocation.request_id, "")
        except OSError as error:
            start_response("400 Bad Request", [("Content-Type", "text/plain")])
            return [f"The request's body cannot be read: {error}.\n".encode()]
        with self._changed:
            self._active += 1
        if len(request.body) > self.limit:
            invocation.fail(EVENT_TOO_LARGE, f"The request's body is over the limit of {self.limit} bytes")
            return self._refuse(request, invocation, start_response)
        instance = self.pool.acquire(invocation)
        if instance is None:
            return self._refuse(request, invocation, start_response)
        exchange = instance.open(invocation, request, self._added_headers(request))
        if exchange is not None:
            self._check_head(exchange)
            if invocation.code == SUCCESS:
                return Body(self, instance, exchange, request).start(start_response)
            exchange.end()
        self.pool.release(instance)
        return self._refuse(request, invocation, start_response)

    def _added_headers(self, request: HttpRequest) -> dict[str, str]:
        """Return the headers that the platform sets on every request of a Web function."""
        launch = self.function.launch
        return {
            "X-Scf-Request-Id": request.request_id,
            "X-Scf-Remote-Addr": request.address,
            "X-Scf-Memory": str(launch.memory),
            "X-Scf-Timeout": str(int(launch.timeout * 1000)),
            "X-Scf-Version": "$LATEST",
            "X-Scf-Name": self.function.config.name,
            "X-Scf-Namespace": "default",
            "X-Scf-Region": self.function.config.region,
            "X-Scf-Appid": "1250000000",
            "X-Scf-Uin": "100000000001",
        }

    def _check_head(self, exchange: Exchange) -> None:
        """Fail the invocation for headers or a stated length over the platform's limit."""
        response = exchange.response
        size = sum(len(name) + len(value) for name, value in response.getheaders())
        if size > HEADER_LIMIT:
            exchange.invocation.fail(
                RESULT_TOO_LARGE, f"The response's headers are {size} bytes; the limit is {HEADER_LIMIT}"
            )
        elif response.length is not None and response.length > self.limit:
            exchange.invocation.fail(
                RESULT_TOO_LARGE, f"The response is {response.length} bytes; the limit is {self.limit}"
            )

    def _refuse(self, request: HttpRequest, invocation: Invocation, start_response: StartResponse) -> Iterable[bytes]:
        """Respond with the platform's own error."""
        response = tencent.error(invocation, "")
        self.finish(request, invocation, response.status)
        start_response(_status_line(response.status), response.wire_headers(request.method))
        return [response.wire_body(request.method)]

    def finish(self, request: HttpRequest, invocation: Invocation, status: int, note: str = "") -> None:
        """Report a request that has ended."""
        self.log.record(self.function.launch, invocation, f"{request.method} {request.path}", status, note)
        with self._changed:
            self._active -= 1
            self._changed.notify_all()

    def fire(self, timer: Timer, event: dict[str, str]) -> bool:
        """Run one timer event in the event function; return whether it succeeded."""
        invocation = Invocation()
        self.jobs.run_event(invocation, encode(event), self.function.context(invocation.request_id))
        self.log.record(self.function.launch, invocation, f"timer {timer.name}", None)
        return invocation.code == SUCCESS

    def try_start(self) -> Invocation:
        """Start an instance of each kind and end it; return the outcome of the first that fails."""
        outcome = self.pool.try_start()
        return outcome if outcome.code != SUCCESS else self.jobs.try_start()

    def restart(self) -> None:
        """Let the next requests and events find new instances."""
        self.pool.restart()
        self.jobs.restart()

    def close(self) -> None:
        """End every instance."""
        self.pool.close()
        self.jobs.close()

    def wait_for_requests(self, seconds: float) -> None:
        """Wait until the active requests are reported, for so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._active, seconds)


class Body:
    """The body of a response, whose end, or the client's departure, ends the request."""

    def __init__(self, gateway: WebGateway, instance: WebInstance, exchange: Exchange, request: HttpRequest) -> None:
        self.gateway, self.instance, self.exchange, self.request = gateway, instance, exchange, request
        self.note = ""

    def start(self, start_response: StartResponse) -> Body:
        """Send the head; without a length the server sends the body in chunks."""
        response = self.exchange.response
        # The local server sends a date of its own.
        left_out = [name for name, _ in response.getheaders() if is_hop_by_hop(name) or name.lower() == "date"]
        headers = [(name, value) for name, value in response.getheaders() if name not in left_out]
        start_response(f"{response.status} {response.reason}", headers)
        return self

    def __iter__(self) -> Iterator[bytes]:
        """Yield the parts as they arrive. Raises ConnectionError where the rest cannot be sent."""
        size = 0
        try:
            while part := self.exchange.read():
                size += len(part)
                if size > self.gateway.limit:
                    self.exchange.invocation.fail(RESULT_TOO_LARGE, f"The response is over {self.gateway.limit} bytes")
                    break
                yield part
        except (OSError, HTTPException):
            self.instance.report_failure(self.exchange.invocation)
        if self.exchange.invocation.code != SUCCESS:
            self.note = "the response was cut off"
            raise ConnectionAbortedError(self.note)

    def close(self) -> None:
        """Report the request and give its place in the instance back."""
        self.exchange.end()
        self.gateway.pool.release(self.instance)
        self.gateway.finish(self.request, self.exchange.invocation, self.exchange.response.status, self.note)


def _status_line(status: int) -> str:
    return f"{status} {HTTP_STATUS_CODES.get(status, 'Unknown')}"
