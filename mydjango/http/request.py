"""The request of the WSGI application: Django's, without leaving in Python's tables what a client chose."""

from __future__ import annotations

from encodings.aliases import aliases
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import MAX_URL_LENGTH, parse_header_parameters

_ENCODINGS = frozenset(aliases) | frozenset(aliases.values())


class Request(WSGIRequest):
    """Keep client-chosen strings out of two caches that Python fills.

    `codecs.lookup`, which Django asks for encodings, remembers each name that it did not find, without end.
    `urlsplit`, which the CSRF check asks for Origin and Referer, remembers 128 addresses of any length.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        # In place of what no browser sends an origin that is never trusted.
        long = [name for name in ("HTTP_ORIGIN", "HTTP_REFERER") if len(environ.get(name, "")) > MAX_URL_LENGTH]
        super().__init__({**environ, **dict.fromkeys(long, "null")} if long else environ)

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """As Django's, which takes a charset that there is not for UTF-8 too.

        Without parameters that name an encoding (RFC 2231), which Django looks up and raises ValueError for.
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
