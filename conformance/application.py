"""The application that a bridge under test serves: it returns what the case says, and keeps what it saw."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from typing import Any

PLAIN = [["Content-Type", "text/plain; charset=utf-8"]]


def content(body: Any) -> bytes:
    """The bytes of a case's body: a text, `{"base64": text}`, or `{"repeat": text, "times": number}`."""
    if isinstance(body, str):
        return body.encode()
    if "base64" in body:
        return b64decode(body["base64"])
    return bytes(body["repeat"].encode() * body["times"])


class Application:
    """A WSGI application; `returns` is set for each case, `environ`, `body` and `closed` are what came of it."""

    def __init__(self) -> None:
        self.prepare({})

    def prepare(self, returns: dict[str, Any]) -> None:
        """Forget the case before and take the next one's `returns`."""
        self.returns = returns
        self.environ: dict[str, Any] = {}
        self.body = b""
        self.closed = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.environ = environ
        self.body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if "raises" in self.returns:
            raise RuntimeError(self.returns["raises"])
        headers = [(name, value) for name, value in self.returns.get("headers", PLAIN)]
        start_response(self.returns.get("status", "200 OK"), headers)
        if "replaced_by" in self.returns:  # as frameworks do that fail before the body has begun
            error = ValueError("an error page follows")
            start_response(self.returns["replaced_by"], headers, (ValueError, error, None))
        return Body(self)


class Body:
    """The response's iterable, which notes that it was closed."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __iter__(self) -> Iterator[bytes]:
        yield content(self.application.returns.get("body", "ok"))

    def close(self) -> None:
        """PEP 3333: called when the request is done."""
        self.application.closed = True


application = Application()
