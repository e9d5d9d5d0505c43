"""Error responses: problem+json (RFC 9457) for JSON callers, a page for browsers, else a sentence."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.views.decorators.csrf import csrf_exempt

logger = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
STAFF_PATHS = ("/dashboard/", "/admin/")
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
MAX_HOST = 253  # characters of a host name, RFC 1035
View = Callable[..., HttpResponse]
AnyResponse = TypeVar("AnyResponse", bound=HttpResponseBase)


def speaks_json(request: HttpRequest) -> bool:
    """Whether the caller sent JSON, or prefers JSON to HTML and plain text."""
    if is_json(request.content_type):
        return True
    preferred = request.get_preferred_type(["text/html", "text/plain", "application/json", PROBLEM])
    return preferred in ("application/json", PROBLEM)


def is_json(content_type: str | None) -> bool:
    """Whether a media type is JSON, also by its suffix, as problem+json is."""
    media_type = (content_type or "").lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def is_browser(request: HttpRequest) -> bool:
    """Whether a browser asks for a page: its Accept header names HTML, where programs send `*/*`."""
    return "text/html" in request.META.get("HTTP_ACCEPT", "") and not speaks_json(request)


def problem(
    request: HttpRequest, status: int, detail: str, headers: dict[str, str] | None = None, **members: object
) -> HttpResponse:
    """Return an error response with the sentence `detail`. JSON callers get `members` as well."""
    if not speaks_json(request):
        return HttpResponse(detail, status=status, content_type="text/plain; charset=utf-8", headers=headers)
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **members}
    content = json.dumps(body, ensure_ascii=False)
    return HttpResponse(content, status=status, content_type=PROBLEM, headers=headers)


def allow(*methods: str) -> Callable[[Callable[..., AnyResponse]], Callable[..., AnyResponse | HttpResponse]]:
    """Decorate a view to return 405 with a sentence for any other method; GET includes HEAD.

    Place it outside of decorators that ask for a login. With GET alone Django's CSRF check is skipped, since it would
    refuse a POST with 403 first. Django's require_http_methods returns an empty page.
    """
    allowed = [*methods, "HEAD"] if "GET" in methods else list(methods)

    def decorate(view: Callable[..., AnyResponse]) -> Callable[..., AnyResponse | HttpResponse]:
        @wraps(view)
        def check(request: HttpRequest, *args: object, **kwargs: object) -> AnyResponse | HttpResponse:
            if request.method in allowed:
                return view(request, *args, **kwargs)
            detail = f"{request.method} is not allowed here: use {' or '.join(methods)}."
            return problem(request, 405, detail, headers={"Allow": ", ".join(allowed)})

        return csrf_exempt(check) if methods == ("GET",) else check

    return decorate


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: wrong host, too many fields, broken multipart.

    Where no setting names a host, every request may be refused: the log then says which host to set.
    """
    if isinstance(exception, DisallowedHost) and set(settings.ALLOWED_HOSTS) <= set(settings.PLATFORM_HOSTS):
        host = request.META.get("HTTP_HOST") or request.META["SERVER_NAME"]
        logger.error("host.refused", extra={"host": host[:MAX_HOST], "set": "PUBLIC_URL or ALLOWED_HOSTS"})
    return page_or_problem(request, 400, "The request is malformed.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    return page_or_problem(request, 403, "You may not see this.")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    return page_or_problem(request, 404, f"There is nothing at {request.path}.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: Django's own has inline style. The log has the reason."""
    return page_or_problem(request, 403, "The form's token is missing or has expired.", has_expired=True)


def page_or_problem(request: HttpRequest, status: int, detail: str, **context: object) -> HttpResponse:
    """Return a page to browsers, except from text endpoints, and `problem` to everyone else.

    The page makes no query. It has the visitor's language also where LanguageMiddleware did not run.
    """
    if not is_browser(request) or request.path_info.startswith(tuple(settings.PLAIN_PATHS)):
        return problem(request, status, detail)
    from django.shortcuts import render  # text endpoints do without templates
    from django.utils import translation

    from mydjango.http.language import preferred_language

    context |= {"status": status, "is_staff_page": request.path_info.startswith(STAFF_PATHS)}
    with translation.override(preferred_language(request)):
        return render(request, "problem.html", context, status=status)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: the traceback is in the log alone."""
    return page_or_problem(request, 500, "Something went wrong here. The error was logged.")


class ProblemMiddleware(MiddlewareMixin):
    """Turn Django's own HTML errors, debug pages included, into problems for JSON callers."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if response.status_code < 400 or is_json(response.get("Content-Type", "").partition(";")[0]):
            return response
        if not speaks_json(request):
            return response
        detail = f"{response.reason_phrase}: {request.method} {request.path}."
        kept = {name: response[name] for name in ("Allow", "Retry-After", "WWW-Authenticate") if name in response}
        return problem(request, response.status_code, detail, headers=kept)
