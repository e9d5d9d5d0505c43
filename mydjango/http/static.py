"""Static files: WhiteNoise, imported for the first static file, quiet about what collectstatic has not made yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property


class StaticFilesMiddleware:
    """Passes what is below STATIC_URL through WhiteNoise; everything else never pays for its import and its scan."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.prefix = urlsplit(settings.STATIC_URL).path

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The file, or whatever the inner layers answer."""
        if request.path_info.startswith(self.prefix):
            response: HttpResponse = self.whitenoise(request)
            return response
        return self.get_response(request)

    @cached_property
    def whitenoise(self) -> Any:  # noqa: ANN401  (WhiteNoise has no types)
        """WhiteNoise over STATIC_ROOT; before `collectstatic` over the apps' folders."""
        from whitenoise.middleware import WhiteNoiseMiddleware

        from mydjango.cold_start.deferred_apps import populate_apps

        populate_apps()  # the folders of apps are asked for their files

        class QuietWhiteNoise(WhiteNoiseMiddleware):  # type: ignore[misc]  # WhiteNoise has no types
            def add_files(self, root: str, prefix: str | None = None) -> None:
                # In a fresh clone a folder that is not there is the normal case, not a warning.
                if Path(root).is_dir():
                    super().add_files(root, prefix=prefix)

        return QuietWhiteNoise(self.get_response)
