"""Read an HTTP request as it was on the wire, which WSGI's environ does not keep."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from werkzeug.serving import WSGIRequestHandler

from faaskit.gateways.request import HttpRequest


class RequestHandler(WSGIRequestHandler):
    """Keep the request target as sent, and every header by itself, in the environ."""

    protocol_version = "HTTP/1.1"
    raw_requestline: bytes

    def parse_request(self) -> bool:
        """Encode bytes that the client should have encoded.

        http.server would split the line at 85 and A0, which are white space in latin-1 and parts of UTF-8 characters.
        """
        self.raw_requestline = re.sub(rb"[\x80-\xff]", lambda match: b"%%%02X" % match[0][0], self.raw_requestline)
        return super().parse_request()

    def make_environ(self) -> dict[str, Any]:
        """Add the raw request to the environ: http.server has merged leading slashes in self.path."""
        environ = super().make_environ()
        target = self.requestline.split()[1]
        if not target.startswith("/") and "://" in target:  # absolute form (RFC 9112 3.2.2)
            target = re.sub(r"[^:]*://[^/?#]*", "", target, count=1)
            target = target if target.startswith("/") else "/" + target
        environ["gateway.target"] = quote(target, safe="/?#[]@!$&'()*+,;=:%~")
        environ["gateway.headers"] = [(name, _decode_header(value)) for name, value in self.headers.items()]
        return environ

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing: the invocation's report has it."""


def _decode_header(value: str) -> str:
    """Unfold a header value and decode it as UTF-8 where it is; http.server gives its bytes as latin-1."""
    value = " ".join(value.splitlines())
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def read_request(environ: dict[str, Any], limit: int, request_id: str, stage: str) -> HttpRequest:
    """Read the HTTP request of an environ from RequestHandler, its body up to one byte over the limit.

    Raises OSError for a malformed chunked body.
    """
    headers = environ["gateway.headers"]
    chunked = environ.get("wsgi.input_terminated")
    length = environ.get("CONTENT_LENGTH", "")
    body = b""
    if chunked or length.isdecimal():
        body = environ["wsgi.input"].read(limit + 1 if chunked else min(int(length), limit + 1))
    if chunked:  # the gateway has read the whole body and sends its length
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
