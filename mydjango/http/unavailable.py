"""A database that does not answer now: 503 with Retry-After, in one place for every view."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from mydjango.http.problems import problem, speaks_json

logger = logging.getLogger(__name__)

RETRY_AFTER = 5  # seconds
DETAIL = "The service cannot reach its database at the moment. Please try again in a few seconds."

UNKNOWN_COLUMN = 1054  # MySQL; the code is ahead of its migrations, or behind

Page = Callable[[HttpRequest], HttpResponse]


def is_unavailable(error: Exception) -> bool:
    """Whether a later attempt may succeed: not for a missing table or column, which only a migration mends."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    reason = error.args[0] if error.args else ""
    return reason != UNKNOWN_COLUMN and not str(reason).startswith("no such ")


def page_when_unavailable(page: Page) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Name the page that a view's visitors get instead of a sentence. It must do without the database."""

    def name(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        view.when_unavailable = page  # type: ignore[attr-defined]
        return view

    return name


class UnavailableMiddleware:
    """Maps the errors of `is_unavailable` to 503, whatever view they come from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing to do unless a view raises."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The 503, or None for an error that is none of ours."""
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
            return problem(request, 503, DETAIL, headers={"Retry-After": str(RETRY_AFTER)})
        response: HttpResponse = page(request)
        response.status_code = 503
        response["Retry-After"] = str(RETRY_AFTER)
        return response
