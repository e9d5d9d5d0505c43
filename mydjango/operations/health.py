"""`GET /healthz`: does the database answer?"""

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
    """200 with `{"status": "ok", "database": "ok"}`, or 503 with the reason in the log."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        logger.exception("health.database_unreachable")
        return problem(request, 503, "The database does not answer.", headers={"Retry-After": "5"}, database="down")
    return JsonResponse({"status": "ok", "database": "ok"})


urlpatterns = [path("", healthz, name="healthz")]
