"""Compress text where a Web function serves it; the events of other functions carry text alone, or pay for base64."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import cached_property

from mydjango.http.function_kind import is_web_function

TEXT_ENDINGS = ("json", "javascript", "xml")  # also image/svg+xml


class TextGZipMiddleware(MiddlewareMixin):
    """Run Django's GZipMiddleware for text, imported for the first such response.

    Against BREACH it adds random bytes, and Django masks each CSRF token anew. A stream is compressed as it comes.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not is_web_function(request) or not _is_text(response.get("Content-Type", "")):
            return response
        return self._gzip.process_response(request, response)  # type: ignore[no-any-return]

    @cached_property
    def _gzip(self) -> Any:  # noqa: ANN401  (the stubs type neither)
        from django.middleware.gzip import GZipMiddleware

        return GZipMiddleware(self.get_response)


def _is_text(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type.endswith(TEXT_ENDINGS)
