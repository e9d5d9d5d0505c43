"""Populate Django's registry of apps, and with it all models, when the first request needs it.

Django imports every model of every app before the first request. A text endpoint needs none of them, and on a function
platform its caller waits for all of them. `manage.py` and the test runner populate the registry at once, as everywhere.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.utils.log import configure_logging
from django.utils.module_loading import import_string


@contextmanager
def without_collector() -> Iterator[None]:
    """Pause the garbage collector while modules are imported, whose objects all stay."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def populate_apps() -> None:
    """Import all apps and models, once; other threads wait for the first."""
    if not apps.ready:
        with without_collector():
            apps.populate(settings.INSTALLED_APPS)


def get_application(handler: type[WSGIHandler]) -> WSGIHandler:
    """Return the application as Django's get_wsgi_application does, but without importing the models."""
    if settings.LOGGING:
        # configure_logging() would load Django's defaults first, whose mail handler imports the debug page.
        import_string(settings.LOGGING_CONFIG)(settings.LOGGING)
    else:
        configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    return handler()
