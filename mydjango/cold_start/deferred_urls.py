"""Defer `include()`: import the included URLs, and the models that they need, for the first path below their route."""

from __future__ import annotations

from types import ModuleType

from django.urls import URLResolver
from django.urls.resolvers import RoutePattern
from django.utils.functional import cached_property

from mydjango.cold_start.deferred_apps import populate_apps, without_collector


class DeferredURLs(URLResolver):
    """A resolver whose module is imported on first use."""

    @cached_property
    def urlconf_module(self) -> ModuleType:
        populate_apps()
        with without_collector():
            return super().urlconf_module  # type: ignore[return-value]  # imported by name

    def _populate(self) -> None:
        # The parent resolver calls this to collect names for reverse(). It looks up names with a namespace in
        # `url_patterns` instead, so a guest's page with one {% url %} need not import the whole admin.
        if self.namespace is None or "url_patterns" in self.__dict__:
            super()._populate()


def deferred_include(route: str, urlconf: str, namespace: str | None = None) -> DeferredURLs:
    """Return `path(route, include(urlconf))`, imported on first use. With a namespace, reverse() imports it neither."""
    return DeferredURLs(RoutePattern(route), urlconf, app_name=namespace, namespace=namespace)
