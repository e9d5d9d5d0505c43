"""The Content-Security-Policy header: no inline script or style, nothing from another host."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "Content-Security-Policy"


class ContentSecurityPolicyMiddleware:
    """Sends SECURE_CSP, a mapping of directives to sources as in Django 6.0, whose own middleware then replaces this.

    With DEBUG the pages of 404 and 500 are Django's own and styled inline: they have no policy, as in Django 6.0.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = "; ".join(f"{name} {' '.join(sources)}" for name, sources in settings.SECURE_CSP.items())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the header, unless the view has set its own."""
        response = self.get_response(request)
        is_debug_page = settings.DEBUG and response.status_code in (
            HTTPStatus.NOT_FOUND,
            HTTPStatus.INTERNAL_SERVER_ERROR,
        )
        if not is_debug_page:
            response.headers.setdefault(HEADER, self.policy)
        return response
