"""`GET /healthz`: the health check, which asks the database."""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache

from mydjango.http.problems import allow, problem

logger = logging.getLogger(__name__)


@never_cache
@allow("GET")
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200, or 503 while the database is away; the log has the reason."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        logger.exception("health.database_unreachable")
        return problem(request, 503, "The database does not answer.", headers={"Retry-After": "5"}, database="down")
    return JsonResponse({"status": "ok", "database": "ok"})


urlpatterns = [path("", healthz, name="healthz")]
