"""What the way to this function carries: events of a Function URL text alone, HTTP everything."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def is_web_function(request: HttpRequest) -> bool:
    """Whether a Web function serves the request: it came over HTTP, and its server set the request's id."""
    return "serverless.request_id" in request.META and "serverless.event" not in request.META


def carries_bytes(request: HttpRequest) -> bool:
    """Whether a response that is not text arrives: not through SCF's Function URL, which decodes no base64."""
    return "serverless.event" not in request.META or settings.PLATFORM != "scf"
