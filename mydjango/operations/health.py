"""`GET /healthz`: the health check, which queries the database."""

from __future__ import annotations

import logging
import pkgutil
from functools import cache
from importlib.util import find_spec

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache

from mydjango.http.problems import allow, problem
from mydjango.http.unavailable import is_missing

logger = logging.getLogger(__name__)

NOT_MIGRATED = "The database lacks migrations: run 'python manage.py migrate'."


@never_cache
@allow("GET")
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200, or 503 while the database is away or lacks a migration of this code; the log has the reason."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            missing = sorted(migrations() - set(cursor.fetchall()))
    except DatabaseError as error:
        if is_missing(error):
            logger.error("health.database_without_tables")  # noqa: TRY400  (the trace says nothing more)
            return problem(request, 503, NOT_MIGRATED, database="not migrated")
        logger.exception("health.database_unreachable")
        return problem(request, 503, "The database does not answer.", headers={"Retry-After": "5"}, database="down")
    if missing:
        logger.error("health.database_not_migrated", extra={"missing": len(missing), "first": ".".join(missing[0])})
        return problem(request, 503, NOT_MIGRATED, database="not migrated")
    return JsonResponse({"status": "ok", "database": "ok"})


@cache
def migrations() -> set[tuple[str, str]]:
    """Return the app and name of each migration of this code.

    The files are listed: Django's loader would import the apps, their models and every migration.
    """
    found = set()
    for entry in settings.INSTALLED_APPS:
        is_class = entry.rpartition(".")[2][0].isupper()  # an AppConfig
        app = import_string(entry).name if is_class else entry
        spec = find_spec(app)
        folders = [f"{folder}/migrations" for folder in spec.submodule_search_locations or ()] if spec else []
        found |= {(app.rpartition(".")[2], module.name) for module in pkgutil.iter_modules(folders)}
    return found


urlpatterns = [path("", healthz, name="healthz")]
