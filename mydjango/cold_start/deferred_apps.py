"""What a cold start leaves for later: models and URLs that the first request may not need.

Django imports every model of every app before the first request. A text endpoint needs none of them, and on a function
platform its caller waits for all of them. So the registry of apps is populated when the first URL beyond the text
endpoints is looked at. `manage.py` and the test runner populate it at once, as everywhere in Django.
"""

from __future__ import annotations

import gc
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from django.apps import apps
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import URLResolver
from django.urls.resolvers import RoutePattern
from django.utils.functional import cached_property
from django.utils.log import configure_logging


@contextmanager
def without_collector() -> Iterator[None]:
    """While much is imported: the garbage collector would look again and again at objects that all stay."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def populate_apps() -> None:
    """Import all apps and models, once; threads that come at the same time wait for the first."""
    if not apps.ready:
        with without_collector():
            apps.populate(settings.INSTALLED_APPS)


def get_application(handler: type[WSGIHandler]) -> WSGIHandler:
    """Django's get_wsgi_application without the models: what is here must not need them."""
    if settings.LOGGING:
        # Django would configure its own logging first, whose handler of mails to administrators imports the debug page.
        logging.config.dictConfig(settings.LOGGING)
    else:
        configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    return handler()


class DeferredURLs(URLResolver):
    """URLs whose module, and the models it imports, are imported when a path gets as far as their route."""

    @cached_property
    def urlconf_module(self) -> ModuleType:
        """The module that the resolver's name stands for."""
        populate_apps()
        with without_collector():
            return super().urlconf_module  # type: ignore[return-value]  # it is imported by name

    def _populate(self) -> None:
        # The resolver above calls this to collect names for reverse(). Names in a namespace are not among them: they
        # are looked up in `url_patterns`, so that a guest's page with one {% url %} does not import the whole admin.
        if self.namespace is None or "url_patterns" in self.__dict__:
            super()._populate()


def deferred_include(route: str, urlconf: str, namespace: str | None = None) -> DeferredURLs:
    """What `path(route, include(urlconf))` is, imported on first use; a namespace spares reverse() the import too."""
    return DeferredURLs(RoutePattern(route), urlconf, app_name=namespace, namespace=namespace)
