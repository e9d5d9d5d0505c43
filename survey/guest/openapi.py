"""`GET /openapi.json`: the OpenAPI description of the API."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse

from mydjango.http.problems import allow

DOCUMENT = Path(__file__).with_name("openapi.json")


@allow("GET")
def document(request: HttpRequest) -> HttpResponse:
    return HttpResponse(DOCUMENT.read_bytes(), content_type="application/json")
