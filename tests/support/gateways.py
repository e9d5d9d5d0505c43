"""For the bridge's tests: an application that records its request, and the response as the client receives it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.validate import validator

import index
from faaskit.gateways.registry import GATEWAYS as REGISTRY
from faaskit.gateways.request import HttpRequest

GATEWAYS = sorted(REGISTRY)
TEXT_ONLY = ["function-url"]
LIST_VALUED = ["apigw", "function-url", "fc", "fc-apigateway"]  # a list in the header map repeats a header
BINARY = [name for name in GATEWAYS if name not in TEXT_ONLY]
EVENTS = Path(__file__).parents[1] / "events"
HOST = ("Host", "survey.example.com")
Setting = Callable[[str, str], None]  # the fixture bridge_setting


def sample(name: str) -> Any:
    """Load a sample event."""
    return json.loads((EVENTS / f"{name}.json").read_text("utf-8"))


class ReceivedResponse(NamedTuple):
    """The HTTP response as the client receives it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        """Return all values of a header; `name` is in lower case."""
        return [value for key, value in self.headers if key.lower() == name]


def received(result: Any, text_only: bool = False) -> ReceivedResponse:
    """Return the response that a gateway makes of a handler's result, which must be JSON and well-formed."""
    result = json.loads(json.dumps(result))
    assert set(result) <= {
        "statusCode",
        "statusDescription",
        "headers",
        "multiValueHeaders",
        "cookies",
        "isBase64Encoded",
        "body",
    }
    assert type(result["statusCode"]) is int
    assert 100 <= result["statusCode"] <= 999
    assert type(result["isBase64Encoded"]) is bool
    single, multiple = result.get("headers", {}), result.get("multiValueHeaders", {})
    assert not single.keys() & multiple.keys(), "a header in both maps would be lost"
    headers = [("Set-Cookie", cookie) for cookie in result.get("cookies", [])]
    for name, value in [*single.items(), *multiple.items()]:
        values = value if isinstance(value, list) else [value]
        assert all(type(text) is str and "\n" not in text for text in values)
        headers += [(name, text) for text in values]
    assert not (text_only and result["isBase64Encoded"]), "the client would receive base64 text"
    body = b64decode(result["body"], validate=True) if result["isBase64Encoded"] else result["body"].encode()
    return ReceivedResponse(result["statusCode"], headers, body)


def send(application: Callable[..., Iterable[bytes]], gateway: str, request: HttpRequest) -> ReceivedResponse:
    """Send a request through a gateway and the bridge to an application, which wsgiref.validate watches."""
    result = index.handle_request(validator(application), REGISTRY[gateway].build_event(request), {"request_id": "r-1"})
    if gateway not in LIST_VALUED:
        assert all(type(value) is str for value in result.get("headers", {}).values())
        assert all(type(value) is list for value in result.get("multiValueHeaders", {}).values())
    assert ("multiValueHeaders" in result) <= (gateway in ("aws-rest", "alb-multi-value"))
    assert ("headers" in result) != (gateway in ("aws-rest", "alb-multi-value"))  # whose events are multi-value
    assert ("statusDescription" in result) == gateway.startswith("alb")
    return received(result, text_only=gateway in TEXT_ONLY)


class Recorder:
    """A WSGI application that keeps the environ and the body of its request, and returns a given response."""

    def __init__(
        self, body: bytes = b"ok", status: str = "200 OK", headers: list[tuple[str, str]] | None = None
    ) -> None:
        self.status, self.body = status, body
        self.headers = [("Content-Type", "text/plain; charset=utf-8")] if headers is None else headers
        self.environ: dict[str, Any] = {}
        self.received = b""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.environ = environ
        self.received = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response(self.status, self.headers)
        return [self.body]

    def text(self, key: str) -> str:
        """Return a variable of the environ, its bytes decoded as UTF-8."""
        return self.environ[key].encode("latin-1").decode("utf-8")


def seen(
    gateway: str, *headers: tuple[str, str], target: str = "/", method: str = "GET", body: bytes = b""
) -> Recorder:
    """Send a request through a gateway; return the application that received it."""
    recorder = Recorder()
    assert send(recorder, gateway, HttpRequest(method, target, [HOST, *headers], body)).status == 200
    return recorder
