"""Serve static files with WhiteNoise, imported for the first of them.

WhiteNoise's defaults decide how long a browser keeps a file: for years where its name has a hash, else for a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from mydjango.cold_start.deferred_apps import populate_apps


class StaticFilesMiddleware:
    """Pass requests below STATIC_URL through WhiteNoise; no other request waits for its import and its scan."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.prefix = urlsplit(settings.STATIC_URL).path

    def __call__(self, request: HttpRequest) -> HttpResponse:
        handler = self.whitenoise if request.path_info.startswith(self.prefix) else self.get_response
        response: HttpResponse = handler(request)
        return response

    @cached_property
    def whitenoise(self) -> Any:  # noqa: ANN401  (WhiteNoise has no types)
        """WhiteNoise over STATIC_ROOT; before `collectstatic` over the apps' folders."""
        from whitenoise.middleware import WhiteNoiseMiddleware

        class QuietWhiteNoise(WhiteNoiseMiddleware):  # type: ignore[misc]  # WhiteNoise has no types
            def add_files(self, root: str, prefix: str | None = None) -> None:
                # WhiteNoise warns of a missing folder; in a fresh clone nothing has been collected.
                if Path(root).is_dir():
                    super().add_files(root, prefix=prefix)

        populate_apps()  # the staticfiles finders look through the apps' folders
        return QuietWhiteNoise(self.get_response)
