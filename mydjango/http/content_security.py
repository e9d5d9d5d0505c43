"""The Content-Security-Policy header: no inline script or style, nothing from another host."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import cached_property


class ContentSecurityPolicyMiddleware(MiddlewareMixin):
    """Send SECURE_CSP, directives and their sources, unless the view has set the header. Django 6.0 has the same.

    As in Django 6.0, its own pages for 404 and 500 with DEBUG on have no policy: they are styled inline.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response.headers.setdefault("Content-Security-Policy", self.policy)
        return response

    @cached_property
    def policy(self) -> str:
        """The value of the header."""
        return "; ".join(f"{directive} {' '.join(sources)}" for directive, sources in settings.SECURE_CSP.items())
