"""What each gateway makes of the returned value: the HTTP answer, or the gateway's own complaint.

One reader a shape of answer; `docs/gateway.md` lists where each rule is from.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from faaskit.local import instance
from faaskit.local.instance import Invocation

Headers = list[tuple[str, str]]
JSON = ("Content-Type", "application/json")
# Between gateway and client there is a connection of its own (RFC 9110 7.6.1).
CONNECTION_HEADERS = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
# SCF 12513, as its document spells it.
INVALID_SCF_RESPONSE = "Invalid scf response format. please check your scf response format."


class MalformedAnswer(ValueError):
    """The returned value is not what the gateway expects; the message says why."""


@dataclass(frozen=True)
class HttpAnswer:
    """One HTTP answer; `note` is what the log should say about it."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    note: str = ""

    def wire_headers(self, method: str) -> Headers:
        """The headers as they go out: the length is the real one, but for HEAD and 304 the function's."""
        bodyless = method == "HEAD" or self.status == 304
        headers = [
            (name, value.encode("utf-8").decode("latin-1"))
            for name, value in self.headers
            if name.lower() not in CONNECTION_HEADERS and (bodyless or name.lower() != "content-length")
        ]
        if not bodyless and self.status != 204:
            headers.append(("Content-Length", str(len(self.body))))
        return headers

    def wire_body(self, method: str) -> bytes:
        """The body as it goes out: none where HTTP allows none."""
        return b"" if method == "HEAD" or self.status in (204, 304) else self.body


def _object(result: Any) -> dict[str, Any]:  # noqa: ANN401  (a function returns what it likes)
    if not isinstance(result, dict):
        raise MalformedAnswer(f"a {type(result).__name__} was returned, not an object")
    return result


def _status(result: dict[str, Any], text_allowed: bool = False) -> int:
    status = result.get("statusCode")
    if text_allowed and isinstance(status, str) and status.isdecimal():
        status = int(status)
    if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 999:
        raise MalformedAnswer(f"statusCode is {status!r}")
    return status


def _pairs(headers: Any, lists: bool = False) -> Headers:  # noqa: ANN401
    """Header pairs of a map; with `lists` a list repeats its header."""
    if not isinstance(headers or {}, dict):
        raise MalformedAnswer("headers are not an object")
    pairs = []
    for name, value in (headers or {}).items():
        values = value if lists and isinstance(value, list) else [value]
        for item in values:
            if isinstance(item, (dict, list)) or item is None:
                raise MalformedAnswer(f"header {name} is a {type(item).__name__}")
            text = str(item).lower() if isinstance(item, bool) else str(item)
            if "\r" in text or "\n" in text:
                raise MalformedAnswer(f"header {name} holds a line break")
            pairs.append((str(name), text))
    return pairs


def _text(result: dict[str, Any]) -> str:
    body = result.get("body")
    if body is None:
        return ""
    if not isinstance(body, str):
        raise MalformedAnswer(f"body is a {type(body).__name__}, not text")
    return body


def _body(result: dict[str, Any]) -> bytes:
    """The body, decoded where the answer says that it is base64."""
    text = _text(result)
    if not result.get("isBase64Encoded"):
        return text.encode("utf-8", "replace")
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise MalformedAnswer("body is not valid base64") from error


def tencent_apigw(result: Any, event: dict[str, Any]) -> HttpAnswer:  # noqa: ANN401
    """Tencent API Gateway's integrated response (SCF 12513): a list repeats its header."""
    result = _object(result)
    return HttpAnswer(_status(result), _pairs(result.get("headers"), lists=True), _body(result))


def tencent_function_url(result: Any, event: dict[str, Any]) -> HttpAnswer:  # noqa: ANN401
    """The same, but base64 is not decoded: the client receives its text (measured 2026-10)."""
    result = _object(result)
    note = ""
    if result.get("isBase64Encoded"):
        note = "a base64 answer: a Function URL does not decode it, the client receives base64"
    body = _text(result).encode("utf-8", "replace")
    return HttpAnswer(_status(result), _pairs(result.get("headers"), lists=True), body, note)


REST_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


def aws_rest(result: Any, event: dict[str, Any]) -> HttpAnswer:  # noqa: ANN401
    """API Gateway REST: both maps count, multiValueHeaders first; a key it does not know breaks the answer."""
    result = _object(result)
    unknown = sorted(set(result) - REST_KEYS)
    if unknown:
        raise MalformedAnswer(f"key {unknown[0]} is not known to this gateway")
    multiple = _pairs(result.get("multiValueHeaders"), lists=True)
    named = {name.lower() for name, _ in multiple}
    single = [(name, value) for name, value in _pairs(result.get("headers")) if name.lower() not in named]
    return HttpAnswer(_status(result, text_allowed=True), [*single, *multiple], _body(result))


def aws_http(result: Any, event: dict[str, Any]) -> HttpAnswer:  # noqa: ANN401
    """API Gateway HTTP, payload 2.0: a value without statusCode is itself the JSON body; cookies have their list."""
    if not isinstance(result, dict) or "statusCode" not in result:
        return HttpAnswer(200, [JSON], json.dumps(result, ensure_ascii=False).encode())
    cookies = result.get("cookies") or []
    if not isinstance(cookies, list) or not all(isinstance(cookie, str) for cookie in cookies):
        raise MalformedAnswer("cookies are not a list of text")
    headers = [*_pairs(result.get("headers")), *(("Set-Cookie", cookie) for cookie in cookies)]
    return HttpAnswer(_status(result, text_allowed=True), headers, _body(result))


def alb(result: Any, event: dict[str, Any]) -> HttpAnswer:  # noqa: ANN401
    """Application Load Balancer: only the kind of map that the event had counts."""
    result = _object(result)
    multiple = "multiValueHeaders" in event
    headers = _pairs(result.get("multiValueHeaders" if multiple else "headers"), lists=multiple)
    return HttpAnswer(_status(result), headers, _body(result))


def fc(result: Any, event: dict[str, Any]) -> HttpAnswer:  # noqa: ANN401
    """Aliyun FC 3.0: a value without statusCode is itself the body; a list repeats its header."""
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
        return HttpAnswer(200, [JSON], body.encode())
    return HttpAnswer(_status(result, text_allowed=True), _pairs(result.get("headers"), lists=True), _body(result))


READERS: dict[str, Callable[[Any, dict[str, Any]], HttpAnswer]] = {
    "function-url": tencent_function_url,
    "apigw": tencent_apigw,
    "aws-rest": aws_rest,
    "aws-http": aws_http,
    "alb": alb,
    "fc": fc,
}


def _complaint(status: int, content: Any, headers: Iterable[tuple[str, str]] = (JSON,), note: str = "") -> HttpAnswer:  # noqa: ANN401
    body = content if isinstance(content, str) else json.dumps(content)
    return HttpAnswer(status, list(headers), body.encode(), note)


def malformed(gateway: str, reason: str) -> HttpAnswer:
    """What the client gets where the gateway cannot read the returned value."""
    if gateway in ("function-url", "apigw"):
        return _complaint(403, {"errno": 403, "error": INVALID_SCF_RESPONSE}, note=reason)
    return _broken(gateway, note=reason)


def _broken(gateway: str, note: str = "") -> HttpAnswer:
    """Where the function failed: AWS and Aliyun tell the client nothing of the reason."""
    if gateway == "alb":
        page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
        return _complaint(502, page, [("Content-Type", "text/html")], note)
    if gateway == "aws-http":
        return _complaint(500, {"message": "Internal Server Error"}, note=note)
    return _complaint(502, {"message": "Internal server error"}, note=note)


def failed(gateway: str, invocation: Invocation) -> HttpAnswer:
    """The answer to a request whose invocation did not succeed."""
    if gateway in ("function-url", "apigw"):
        content = {
            "errorCode": invocation.code,
            "errorMessage": invocation.error,
            "requestId": invocation.request_id,
            "statusCode": invocation.code,
        }
        return _complaint(invocation.code, content)
    if invocation.code == instance.TOO_LARGE:
        return _complaint(413, {"message": "Request Too Long"})
    return _broken(gateway)


def answer(gateway: str, invocation: Invocation, event: dict[str, Any]) -> HttpAnswer:
    """The HTTP answer that the client of this gateway gets."""
    if invocation.code != instance.SUCCESS:
        return failed(gateway, invocation)
    try:
        return READERS[gateway](invocation.result, event)
    except MalformedAnswer as error:
        return malformed(gateway, f"the returned value is no answer: {error}")
