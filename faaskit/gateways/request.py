"""An HTTP request as a gateway received it, and what the builders of events share."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Event = dict[str, Any]


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request as the gateway received it.

    `target` is the request target as on the wire (`/a%20b?x=1`); `headers` are (name, value) pairs in their order,
    the bytes of each value decoded as UTF-8.
    """

    method: str = "GET"
    target: str = "/"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    address: str = "127.0.0.1"
    scheme: str = "https"
    protocol: str = "HTTP/1.1"
    request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    # The gateway's own name for the deployment: apigw and aws-rest keep it out of the path, aws-http in it.
    stage: str = ""

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query, exactly as sent, without the question mark."""
        return self.target.partition("?")[2]

    @property
    def host(self) -> str:
        """The Host header, or ''."""
        return self.header("host")

    def header(self, name: str) -> str:
        """The last value of a header, or ''; `name` in lower case."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")


def multiple(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """All values of each key, keys in the order and case of their first appearance."""
    spelled: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(spelled.setdefault(key.lower(), key), []).append(value)
    return values


def joined(request: HttpRequest, lower: bool = True) -> dict[str, str]:
    """Headers with repeats joined by a comma, cookies by a semicolon (RFC 9110 5.3, RFC 6265 5.4)."""
    return {
        key.lower() if lower else key: ("; " if key.lower() == "cookie" else ",").join(values)
        for key, values in multiple(request.headers).items()
    }


def grouped_query(request: HttpRequest) -> dict[str, list[str]]:
    """The decoded query: all values of each key."""
    values: dict[str, list[str]] = {}
    for key, value in parse_qsl(request.query, keep_blank_values=True):
        values.setdefault(key, []).append(value)
    return values


def body_by_content(request: HttpRequest) -> tuple[str, bool]:
    """(body, isBase64Encoded): text where the bytes are UTF-8, else base64."""
    try:
        return request.body.decode(), False
    except UnicodeDecodeError:
        return b64encode(request.body).decode(), True


def encoded(event: Event) -> bytes:
    """The event as it goes to the function: JSON in UTF-8, whose bytes the platforms' limits count."""
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
