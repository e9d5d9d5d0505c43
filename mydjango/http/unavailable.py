"""503 with Retry-After while the database is away, in one place for every view."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from mydjango.http.problems import View, page_or_problem, problem, speaks_json

logger = logging.getLogger(__name__)

RETRY_AFTER = 5  # seconds
DETAIL = "The service cannot reach its database at the moment. Please try again in a few seconds."

NOT_MIGRATED = "The database lacks a table or a column: run 'python manage.py migrate'."
MISSING = (1054, 1146)  # MySQL: unknown column, no such table

Page = Callable[..., HttpResponse]  # takes the arguments of its view


def is_unavailable(error: Exception) -> bool:
    """Whether a later attempt may succeed. A missing table or column needs a migration instead."""
    if isinstance(error, InterfaceError):
        return True
    return isinstance(error, OperationalError) and not is_missing(error)


def is_missing(error: Exception) -> bool:
    """Whether the database lacks a table or column of the models."""
    reason = error.args[0] if isinstance(error, DatabaseError) and error.args else ""
    return reason in MISSING or str(reason).startswith("no such ")


def page_when_unavailable(page: Page) -> Callable[[View], View]:
    """Decorate a view with the page that it shows instead of a sentence. The page must not need the database."""

    def decorate(view: View) -> View:
        view.when_unavailable = page  # type: ignore[attr-defined]
        return view

    return decorate


class UnavailableMiddleware(MiddlewareMixin):
    """Map the errors of `is_unavailable` to 503."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if settings.DEBUG and is_missing(exception):
            return problem(request, 503, NOT_MIGRATED)
        if not is_unavailable(exception):
            return None
        view = request.resolver_match.func if request.resolver_match else None
        code = exception.args[0] if exception.args and isinstance(exception.args[0], int) else None
        logger.error(
            "database.unavailable",
            extra={"code": code, "view": getattr(view, "__name__", "")},
            exc_info=exception,
        )
        page = getattr(view, "when_unavailable", None)
        if page is None or speaks_json(request):
            response = page_or_problem(request, 503, DETAIL)
        else:
            arguments = request.resolver_match.kwargs if request.resolver_match else {}
            response = page(request, **arguments)
            response.status_code = 503
        response["Retry-After"] = str(RETRY_AFTER)
        return response
