"""Read the result that a function returned: what the readers of all gateways share."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any
from wsgiref.util import is_hop_by_hop

Headers = list[tuple[str, str]]
JSON = ("Content-Type", "application/json")


class MalformedResult(ValueError):
    """The gateway cannot read the result; the message gives the reason."""


@dataclass(frozen=True)
class HttpResponse:
    """The HTTP response that the client receives; `note` is a warning for the log."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    note: str = ""

    def wire_headers(self, method: str) -> Headers:
        """Return the headers as sent: Content-Length is the body's, but for HEAD and 304 the function's.

        Hop-by-hop headers are left out: the gateway opens its own connection.
        """
        bodyless = method == "HEAD" or self.status == 304
        headers = [
            (name, value.encode("utf-8").decode("latin-1"))
            for name, value in self.headers
            if not is_hop_by_hop(name) and (bodyless or name.lower() != "content-length")
        ]
        if not bodyless and self.status != 204:
            headers.append(("Content-Length", str(len(self.body))))
        return headers

    def wire_body(self, method: str) -> bytes:
        """Return the body as sent: none where HTTP allows none."""
        return b"" if method == "HEAD" or self.status in (204, 304) else self.body


def as_object(result: Any) -> dict[str, Any]:  # noqa: ANN401  (a handler returns any value)
    """Return the result; raise MalformedResult unless it is a JSON object."""
    if not isinstance(result, dict):
        raise MalformedResult(f"a {type(result).__name__} was returned, not an object")
    return result


def status_of(result: dict[str, Any], text_allowed: bool = False) -> int:
    """Return statusCode, 100 to 999; raise MalformedResult for anything else."""
    status = result.get("statusCode")
    if text_allowed and isinstance(status, str) and status.isdecimal():
        status = int(status)
    if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 999:
        raise MalformedResult(f"statusCode is {status!r}")
    return status


def header_pairs(headers: Any, lists: bool = False) -> Headers:  # noqa: ANN401
    """Return the (name, value) pairs of a header map; with `lists` a list repeats its header.

    Raises MalformedResult unless all values are text, numbers or booleans, and for line breaks.
    """
    if not isinstance(headers or {}, dict):
        raise MalformedResult("headers are not an object")
    pairs = []
    for name, value in (headers or {}).items():
        for item in value if lists and isinstance(value, list) else [value]:
            if isinstance(item, (dict, list)) or item is None:
                raise MalformedResult(f"header {name} is a {type(item).__name__}")
            text = str(item).lower() if isinstance(item, bool) else str(item)
            if "\r" in text or "\n" in text:
                raise MalformedResult(f"header {name} holds a line break")
            pairs.append((str(name), text))
    return pairs


def body_of(result: dict[str, Any]) -> bytes:
    """Return the body, decoded where isBase64Encoded is true; raise MalformedResult for other than text or base64."""
    body = result.get("body")
    if body is None:
        body = ""
    if not isinstance(body, str):
        raise MalformedResult(f"body is a {type(body).__name__}, not text")
    if not result.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return b64decode(body, validate=True)
    except ValueError as error:
        raise MalformedResult("body is not valid base64") from error


def error_response(status: int, content: dict[str, Any], note: str = "") -> HttpResponse:
    """Return a gateway's own error response, in JSON."""
    return HttpResponse(status, [JSON], json.dumps(content).encode(), note)
