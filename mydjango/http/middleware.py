"""Middleware by path: imported and run only where it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.module_loading import import_string

from mydjango.cold_start.deferred_apps import populate_apps

GetResponse = Callable[[HttpRequest], HttpResponse]


class PathMiddleware:
    """Runs STAFF_MIDDLEWARE, except below GUEST_PATHS (GUEST_MIDDLEWARE) and PLAIN_PATHS (none).

    Guests have no session and no login, and text has no language: what serves those is most of what Django imports.
    A path that is in no list has everything.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer through the middleware of the request's path."""
        if is_below(request.path_info, settings.PLAIN_PATHS):
            return self.get_response(request)
        if is_below(request.path_info, settings.GUEST_PATHS):
            return self.guest_response(request)
        return self.staff_response(request)

    @cached_property
    def guest_response(self) -> GetResponse:
        """`get_response` within GUEST_MIDDLEWARE."""
        return chain(settings.GUEST_MIDDLEWARE, self.get_response)

    @cached_property
    def staff_response(self) -> GetResponse:
        """`get_response` within STAFF_MIDDLEWARE."""
        return chain(settings.STAFF_MIDDLEWARE, self.get_response)


def is_below(path: str, places: Sequence[str]) -> bool:
    """Whether the path is one of the places, or below one that ends in a slash; `/` stands for itself alone."""
    return path in places or any(path.startswith(place) for place in places if place.endswith("/") and place != "/")


def chain(names: Sequence[str], get_response: GetResponse) -> GetResponse:
    """The middlewares around `get_response`, the first outermost, as Django does it.

    Only what wraps a response can be chained: Django calls the other hooks itself, for MIDDLEWARE alone.
    """
    populate_apps()
    for name in reversed(names):
        middleware = import_string(name)
        for hook in ("process_view", "process_exception", "process_template_response"):
            if hasattr(middleware, hook):
                raise ImproperlyConfigured(f"{name} has {hook}: it belongs into MIDDLEWARE.")
        get_response = middleware(get_response)
    return get_response
