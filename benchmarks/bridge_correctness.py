"""The correctness list: each row is an event, an application and what must come of it; every bridge really runs it."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import index
from benchmarks.bridge_peers import Application, Bridge

EVENTS = Path(__file__).parent.parent / "tests" / "events"
MakeBridge = Callable[[Application], Bridge]


def sample(name: str, **changes: Any) -> dict[str, Any]:
    """A sample event with some values changed."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event | changes


class Recorder:
    """Keeps the environ and answers as told."""

    def __init__(self, body: bytes = b"ok", status: str = "200 OK", *headers: tuple[str, str]) -> None:
        self.body, self.status = body, status
        self.headers = list(headers) or [("Content-Type", "text/plain")]
        self.environ: dict[str, Any] = {}
        self.closed = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Recorder:
        self.environ = environ
        start_response(self.status, self.headers)
        return self

    def __iter__(self) -> Iterator[bytes]:
        yield self.body

    def close(self) -> None:
        self.closed = True


def environ_of(make: MakeBridge, event: Any) -> dict[str, Any]:
    """What the application saw."""
    recorder = Recorder()
    make(recorder)(event)
    return recorder.environ


def query_of(make: MakeBridge, event: Any) -> list[tuple[str, str]]:
    """The query as the application decodes it."""
    return parse_qsl(environ_of(make, event)["QUERY_STRING"], keep_blank_values=True)


def values(answer: Any, name: str) -> list[str]:
    """All values of a header in an answer, however it holds them."""
    found = list(answer.get("cookies") or []) if name == "set-cookie" else []
    headers = {**(answer.get("headers") or {}), **(answer.get("multiValueHeaders") or {})}
    for key, value in headers.items():
        if key.lower() == name:
            found += value if isinstance(value, list) else [value]
    return found


def body_of(answer: Any) -> bytes:
    """The body as a client gets it."""
    body = answer.get("body") or ""
    return b64decode(body) if answer.get("isBase64Encoded") else body.encode()


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """An environment variable for a while."""
    os.environ[name] = value
    index.locate.cache_clear()  # ours reads it once for each path
    try:
        yield
    finally:
        del os.environ[name]
        index.locate.cache_clear()


def rest_query(make: MakeBridge) -> bool:
    return query_of(make, sample("aws-rest")) == [("name", "a+b"), ("name", "b c"), ("empty", "")]


def alb_query(make: MakeBridge) -> bool:
    return query_of(make, sample("aws-alb")) == [("city", "New York"), ("plus", "a+b")]


def path_once(make: MakeBridge) -> bool:
    return environ_of(make, sample("aws-http", rawPath="/100%25"))["PATH_INFO"] == "/100%25"


def trailing_slash(make: MakeBridge) -> bool:
    return str(environ_of(make, sample("aws-lambda-url", rawPath="/hello/"))["PATH_INFO"]) == "/hello/"


def default_stage(make: MakeBridge) -> bool:
    environ = environ_of(make, sample("aws-http"))
    return (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("", "/welcome/post")


def named_stage(make: MakeBridge) -> bool:
    environ = environ_of(make, sample("aws-http-stage"))
    return (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/dev", "/welcome/post")


def base_path(make: MakeBridge) -> bool:
    event = sample("aws-rest", path="/v1beta/x")
    event["multiValueHeaders"]["Host"] = ["survey.example.com"]
    with variable("API_GATEWAY_BASE_PATH", "v1"):
        beta = environ_of(make, event)["PATH_INFO"]
        inside = environ_of(make, event | {"path": "/v1/x"})
    return (beta, inside["SCRIPT_NAME"], inside["PATH_INFO"]) == ("/v1beta/x", "/v1", "/x")


def null_parts(make: MakeBridge) -> bool:
    for changes in ({"headers": None, "multiValueHeaders": None}, {"requestContext": None}, {"body": None}):
        if not environ_of(make, sample("aws-rest", **changes)):
            return False
    return True


def no_host(make: MakeBridge) -> bool:
    environ = environ_of(make, sample("aws-rest", headers={}, multiValueHeaders={}))
    return bool(environ["SERVER_NAME"] and environ["SERVER_PORT"])


def two_cookies_out(make: MakeBridge) -> bool:
    application = Recorder(
        b"", "200 OK", ("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2, c")
    )
    return all(
        sorted(values(make(application)(sample(name)), "set-cookie")) == ["a=1", "b=2, c"]
        for name in ("aws-rest", "aws-http")
    )


def cookies_once(make: MakeBridge) -> bool:
    return all(environ_of(make, sample(name))["HTTP_COOKIE"] == "a=1; b=2" for name in ("aws-http", "aws-lambda-url"))


def compressed(make: MakeBridge) -> bool:
    application = Recorder(b"\x1f\x8b\x08", "200 OK", ("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
    return body_of(make(application)(sample("aws-rest"))) == b"\x1f\x8b\x08"


def text_types(make: MakeBridge) -> bool:
    types = ("Text/HTML", "application/problem+json; x=1", "image/svg+xml", "application/x-www-form-urlencoded")
    answers = [make(Recorder(b"ok", "200 OK", ("Content-Type", name)))(sample("aws-rest")) for name in types]
    return not any(answer.get("isBase64Encoded") for answer in answers)


def not_utf8(make: MakeBridge) -> bool:
    application = Recorder(b"\xcd\xf5", "200 OK", ("Content-Type", "text/plain; charset=gbk"))
    return body_of(make(application)(sample("aws-rest"))) == b"\xcd\xf5"


def forged_address(make: MakeBridge) -> bool:
    event = sample("aws-rest")
    event["headers"]["X-Forwarded-For"] = "6.6.6.6, 203.0.113.7"
    event["multiValueHeaders"]["X-Forwarded-For"] = ["6.6.6.6, 203.0.113.7"]
    return bool(environ_of(make, event)["REMOTE_ADDR"] == "203.0.113.7")


def underscore(make: MakeBridge) -> bool:
    event = sample("aws-rest")
    for headers in (event["headers"], event["multiValueHeaders"]):
        multiple = headers is event["multiValueHeaders"]
        headers["X_Forwarded_Proto"] = ["http"] if multiple else "http"
    environ = environ_of(make, event)
    return (environ["wsgi.url_scheme"], environ["HTTP_X_FORWARDED_PROTO"]) == ("https", "https")


def head_body(make: MakeBridge) -> bool:
    application = Recorder(b"x" * 100, "200 OK", ("Content-Type", "text/plain"), ("Content-Length", "100"))
    answer = make(application)(sample("aws-rest", httpMethod="HEAD"))
    return body_of(answer) == b"" and values(answer, "content-length") == ["100"]


def is_closed(make: MakeBridge) -> bool:
    recorder = Recorder()
    make(recorder)(sample("aws-rest"))
    return recorder.closed


def exc_info(make: MakeBridge) -> bool:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        error = ValueError("page")
        start_response("503 Unavailable", [("Content-Type", "text/plain")], (ValueError, error, None))
        return [b"error page"]

    answer = make(application)(sample("aws-rest"))
    return (answer["statusCode"], body_of(answer)) == (503, b"error page")


def server_name(make: MakeBridge) -> bool:
    event = sample("aws-rest")
    event["headers"]["Host"] = "survey.example.com:8443"
    event["multiValueHeaders"]["Host"] = ["survey.example.com:8443"]
    return bool(environ_of(make, event)["SERVER_NAME"] == "survey.example.com")


def odd_status(make: MakeBridge) -> bool:
    return all(make(Recorder(b"", "299 Odd"))(sample(name))["statusCode"] == 299 for name in ("aws-rest", "aws-alb"))


def application_raises(make: MakeBridge) -> bool:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        raise RuntimeError("secret")

    answer = make(application)(sample("aws-rest"))
    return answer["statusCode"] == 500 and b"r-1" in body_of(answer) and b"secret" not in body_of(answer)


def bad_base64(make: MakeBridge) -> bool:
    return bool(make(Recorder())(sample("aws-http", body="not base64!"))["statusCode"] == 400)


def too_large(make: MakeBridge) -> bool:
    application = Recorder(b"\x00" * 5_500_000, "200 OK", ("Content-Type", "image/png"))
    return bool(make(application)(sample("aws-rest"))["statusCode"] == 502)


def tencent(make: MakeBridge) -> bool:
    event = sample("apigw-real")
    environ = environ_of(make, event)
    query = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
    return query == [("name", "王芳"), ("name", "Tom"), ("x", "y"), ("i", "")] and environ["REMOTE_ADDR"] == "8.8.8.8"


def function_url(make: MakeBridge) -> bool:
    environ = environ_of(make, sample("function-url"))
    return (environ["QUERY_STRING"], environ["REMOTE_ADDR"]) == ("a=1&b=2", "111.206.96.145")


def fc_bytes(make: MakeBridge) -> bool:
    environ = environ_of(make, (EVENTS / "fc-http.json").read_bytes())
    return (environ["PATH_INFO"], environ["REMOTE_ADDR"]) == ("/example", "11.11.11.11")


def alb_modes(make: MakeBridge) -> bool:
    multiple, single = (make(Recorder())(sample(name)) for name in ("aws-alb", "aws-alb-single"))
    return bool(
        multiple["statusDescription"] == "200 OK"
        and multiple["multiValueHeaders"]
        and "multiValueHeaders" not in single
    )


def not_http(make: MakeBridge) -> bool:
    try:
        make(Recorder())(sample("cos"))
    except (KeyError, AttributeError, TypeError):
        return False
    except Exception as error:  # noqa: BLE001 any error that names the event will do
        return "cos" in str(error) or "Records" in str(error)
    return False  # swallowed


def binary_body(make: MakeBridge) -> bool:
    recorder = Recorder()
    event = sample("aws-rest", httpMethod="POST", body=b64encode(bytes(range(256))).decode(), isBase64Encoded=True)
    event["headers"]["Content-Length"] = "256"
    event["multiValueHeaders"]["Content-Length"] = ["256"]
    make(recorder)(event)
    return bool(recorder.environ["wsgi.input"].read(256) == bytes(range(256)))


ROWS: dict[str, Callable[[MakeBridge], bool]] = {
    "REST: decoded query is encoded again": rest_query,
    "ALB: encoded query stays as sent": alb_query,
    "HTTP API: decoded path is not decoded again": path_once,
    "Lambda URL: trailing slash stays": trailing_slash,
    "HTTP API: $default is no stage": default_stage,
    "HTTP API: named stage is SCRIPT_NAME": named_stage,
    "base path ends on a segment": base_path,
    "headers, requestContext, body null": null_parts,
    "no Host": no_host,
    "binary request body": binary_body,
    "two Set-Cookie, REST and HTTP API": two_cookies_out,
    "cookies in once, HTTP API and Lambda URL": cookies_once,
    "compressed text goes as base64": compressed,
    "text types by suffix, without case": text_types,
    "text that is not UTF-8 keeps its bytes": not_utf8,
    "forged X-Forwarded-For is not the address": forged_address,
    "X_Forwarded_Proto does not pose": underscore,
    "HEAD: no body, Content-Length stays": head_body,
    "the iterable is closed": is_closed,
    "exc_info replaces the headers": exc_info,
    "SERVER_NAME has no port": server_name,
    "status 299": odd_status,
    "ALB: answers in the event's mode": alb_modes,
    "application raises: 500 with request id": application_raises,
    "body is not base64: 400": bad_base64,
    "answer too large: 502": too_large,
    "Tencent API Gateway": tencent,
    "Tencent Function URL": function_url,
    "Aliyun FC, bytes": fc_bytes,
    "not HTTP: an error that says what it was": not_http,
}
