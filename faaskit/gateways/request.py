"""An HTTP request as a gateway receives it, and what the builders of events share."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Event = dict[str, Any]


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request.

    `target` is the request target as on the wire (`/a%20b?x=1`); `headers` are (name, value) pairs in their order,
    each value decoded as UTF-8. `stage` is the gateway's name for the deployment: apigw and aws-rest keep it out of
    the path, aws-http puts it in.
    """

    method: str = "GET"
    target: str = "/"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    address: str = "127.0.0.1"
    scheme: str = "https"
    protocol: str = "HTTP/1.1"
    request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    stage: str = ""

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query as sent, without the question mark."""
        return self.target.partition("?")[2]

    @property
    def host(self) -> str:
        """The Host header, or ''."""
        return self.header("host")

    def header(self, name: str) -> str:
        """Return the last value of a header, or ''; `name` is in lower case."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")


def values_by_name(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return all values of each header, names in the order and case of their first appearance."""
    spelled: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(spelled.setdefault(name.lower(), name), []).append(value)
    return values


def joined_headers(request: HttpRequest, lower: bool = True) -> dict[str, str]:
    """Return headers with repeats joined by a comma, cookies by a semicolon (RFC 9110 5.3, RFC 6265 5.4)."""
    return {
        name.lower() if lower else name: ("; " if name.lower() == "cookie" else ",").join(values)
        for name, values in values_by_name(request.headers).items()
    }


def parsed_query(request: HttpRequest) -> dict[str, list[str]]:
    """Return all values of each key of the query, decoded."""
    values: dict[str, list[str]] = {}
    for key, value in parse_qsl(request.query, keep_blank_values=True):
        values.setdefault(key, []).append(value)
    return values


def joined_query(request: HttpRequest) -> dict[str, str]:
    """Return the decoded query with repeats joined by a comma."""
    return {key: ",".join(values) for key, values in parsed_query(request).items()}


def forwarded_for(request: HttpRequest) -> str:
    """Return X-Forwarded-For with the client's address appended, as gateways do."""
    claimed = [value for name, value in request.headers if name.lower() == "x-forwarded-for"]
    return ", ".join([*claimed, request.address])


def http_description(request: HttpRequest, path: str) -> dict[str, str]:
    """Return `requestContext.http` of AWS's payload 2.0 and of FC 3.0; each has its own rule for the path."""
    return {
        "method": request.method,
        "path": path,
        "protocol": request.protocol,
        "sourceIp": request.address,
        "userAgent": request.header("user-agent"),
    }


def text_or_base64(body: bytes) -> tuple[str, bool]:
    """Return (body, isBase64Encoded): text if the bytes are UTF-8, else base64."""
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return b64encode(body).decode(), True


def encode(event: Event) -> bytes:
    """Return the event as JSON in UTF-8, whose bytes the platforms' limits count."""
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
