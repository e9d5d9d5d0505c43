"""Middleware by path: imported and run only where a path needs it."""

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
    """Run GUEST_MIDDLEWARE below GUEST_PATHS, none below PLAIN_PATHS, and STAFF_MIDDLEWARE everywhere else.

    Sessions, accounts and languages are most of what Django imports; guests have no session, text has no language.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_below(request.path_info, settings.PLAIN_PATHS):
            return self.get_response(request)
        if is_below(request.path_info, settings.GUEST_PATHS):
            return self.guest_chain(request)
        return self.staff_chain(request)

    @cached_property
    def guest_chain(self) -> GetResponse:
        return chain(settings.GUEST_MIDDLEWARE, self.get_response)

    @cached_property
    def staff_chain(self) -> GetResponse:
        populate_apps()
        return chain(settings.STAFF_MIDDLEWARE, self.get_response)


def is_below(path: str, places: Sequence[str]) -> bool:
    """Whether the path is one of the places, or below one that ends in a slash; `/` stands for itself alone."""
    return path in places or any(path.startswith(place) for place in places if place.endswith("/") and place != "/")


def chain(names: Sequence[str], get_response: GetResponse) -> GetResponse:
    """Return `get_response` wrapped in the named middleware, the first outermost, as MIDDLEWARE does it.

    Raises ImproperlyConfigured for middleware with other hooks, which Django calls for MIDDLEWARE alone.
    """
    for name in reversed(names):
        middleware = import_string(name)
        for hook in ("process_view", "process_exception", "process_template_response"):
            if hasattr(middleware, hook):
                raise ImproperlyConfigured(f"{name} has {hook}: it belongs into MIDDLEWARE.")
        get_response = middleware(get_response)
    return get_response
