"""The WSGI application's request: Django's, without keeping client-chosen strings in Python's caches."""

from __future__ import annotations

from encodings.aliases import aliases
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import MAX_URL_LENGTH, parse_header_parameters

_ENCODINGS = frozenset(aliases) | frozenset(aliases.values())


class Request(WSGIRequest):
    """Keep client-chosen strings out of two caches that Python fills.

    `codecs.lookup`, which Django asks for encodings, caches each unknown name for ever.
    `urlsplit`, which the CSRF check calls for Origin and Referer, caches 128 addresses of any length.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        # No browser sends such a long address. "null" is an origin that Django never trusts.
        long = [name for name in ("HTTP_ORIGIN", "HTTP_REFERER") if len(environ.get(name, "")) > MAX_URL_LENGTH]
        super().__init__({**environ, **dict.fromkeys(long, "null")} if long else environ)

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """Parse Content-Type as Django does, but read an unknown charset as UTF-8 without looking it up.

        Parameters that name an encoding (RFC 2231) are dropped: Django looks it up, and raises ValueError.
        """
        content_type = meta.get("CONTENT_TYPE", "")
        if "*" in content_type:
            content_type = content_type.partition(";")[0]
        self.content_type, self.content_params = parse_header_parameters(content_type)
        charset = self.content_params.get("charset", "")
        if charset.lower().replace("-", "_") in _ENCODINGS:
            self.encoding = charset


class Handler(WSGIHandler):
    """Django's handler with this request."""

    request_class = Request
