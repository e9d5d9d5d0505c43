"""Greetings and text analysis over HTTP."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt

from mydjango.problems import allow, problem


def plain(text: str) -> HttpResponse:
    """Plain text, so that a name is never rendered as HTML."""
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def greet(request: HttpRequest, fields: QueryDict, greeting: str, where: str) -> HttpResponse:
    """`greeting` followed by the field `name`; 400 when it is missing or empty."""
    name = fields.get("name", "")
    if not name:
        return problem(request, 400, f"The name is missing: send it as {where}.")
    return plain(f"{greeting} {name}")


@csrf_exempt
@allow("GET", "POST")
def hello(request: HttpRequest) -> HttpResponse:
    """`Hello world ! Tom`, the name from the query (GET) or the form (POST)."""
    if request.method == "POST":
        return greet(request, request.POST, "Hello world !", "the form field 'name'")
    return greet(request, request.GET, "Hello world !", "?name=…")


@allow("GET")
def hello_path(request: HttpRequest, name: str) -> HttpResponse:
    """`hello Tom`, the name from the path."""
    return plain(f"hello {name}")


@csrf_exempt
@allow("POST")
def welcome_post(request: HttpRequest) -> HttpResponse:
    """`POST Tom`, the name from the form."""
    return greet(request, request.POST, "POST", "the form field 'name'")


@allow("GET")
def welcome_get(request: HttpRequest) -> HttpResponse:
    """`GET Tom`, the name from the query."""
    return greet(request, request.GET, "GET", "?name=…")
