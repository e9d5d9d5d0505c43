"""For the bridge's tests: an application that tells what reached it, and the client's view of a gateway's answer."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.validate import validator

import index
from mydjango.cloud.events import BUILDERS, HttpRequest, build

GATEWAYS = sorted(BUILDERS)
TEXT_ONLY = ["function-url"]
LIST_VALUED = ["apigw", "function-url", "fc", "fc-apigateway"]  # a list in the header map repeats a header
BINARY = [name for name in GATEWAYS if name not in TEXT_ONLY]
EVENTS = Path(__file__).parent / "events"
HOST = ("Host", "survey.example.com")
Setting = Callable[[str, str], None]  # the fixture bridge_setting


def sample(name: str) -> Any:
    """A sample event."""
    return json.loads((EVENTS / f"{name}.json").read_text("utf-8"))


class Client(NamedTuple):
    """What the client receives."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        """All values of a header; `name` in lower case."""
        return [value for key, value in self.headers if key.lower() == name]


def received(answer: Any, text_only: bool = False) -> Client:
    """What a gateway makes of the answer: JSON, so nothing but JSON may be in it."""
    answer = json.loads(json.dumps(answer))
    assert set(answer) <= {
        "statusCode",
        "statusDescription",
        "headers",
        "multiValueHeaders",
        "cookies",
        "isBase64Encoded",
        "body",
    }
    assert type(answer["statusCode"]) is int
    assert 100 <= answer["statusCode"] <= 999
    assert type(answer["isBase64Encoded"]) is bool
    single, multiple = answer.get("headers", {}), answer.get("multiValueHeaders", {})
    assert not single.keys() & multiple.keys(), "one of them would be lost"
    headers = [("Set-Cookie", cookie) for cookie in answer.get("cookies", [])]
    for name, value in [*single.items(), *multiple.items()]:
        values = value if isinstance(value, list) else [value]
        assert all(type(text) is str and "\n" not in text for text in values)
        headers += [(name, text) for text in values]
    assert not (text_only and answer["isBase64Encoded"]), "the client would receive base64 text"
    body = b64decode(answer["body"], validate=True) if answer["isBase64Encoded"] else answer["body"].encode()
    return Client(answer["statusCode"], headers, body)


def send(application: Callable[..., Iterable[bytes]], gateway: str, request: HttpRequest) -> Client:
    """Send a request through a gateway and the bridge to an application, which wsgiref.validate watches."""
    answer = index.handle_request(validator(application), build(gateway, request), {"request_id": "r-1"})
    if gateway not in LIST_VALUED:
        assert all(type(value) is str for value in answer.get("headers", {}).values())
        assert all(type(value) is list for value in answer.get("multiValueHeaders", {}).values())
    assert ("multiValueHeaders" in answer) <= (gateway in ("aws-rest", "alb-multi-value"))
    assert ("headers" in answer) != (gateway in ("aws-rest", "alb-multi-value"))  # whose events are multi-value
    assert ("statusDescription" in answer) == gateway.startswith("alb")
    return received(answer, text_only=gateway in TEXT_ONLY)


class Recorder:
    """An application that keeps the environ and the body, and answers as told."""

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
        """A variable of the environ, its bytes read as UTF-8."""
        return self.environ[key].encode("latin-1").decode("utf-8")


def seen(
    gateway: str, *headers: tuple[str, str], target: str = "/", method: str = "GET", body: bytes = b""
) -> Recorder:
    """What an application sees of a request through a gateway."""
    recorder = Recorder()
    assert send(recorder, gateway, HttpRequest(method, target, [HOST, *headers], body)).status == 200
    return recorder
