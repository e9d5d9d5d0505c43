"""A page without a form responds to a POST with 405, whatever the middleware before it checks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from mydjango.cold_start.deferred_apps import populate_apps

# Names of the pages that accept a POST. All others must not, new pages included.
FORMS = {
    "account",
    "branch",
    "branch-survey",
    "branch_add",
    "brand",
    "erase",
    "invitation",
    "language",
    "login",
    "logout",
    "owner",
    "password_change",
    "password_choose",
    "password_forgotten",
    "photo-file",
    "photos",
    "submission",
    "question_add",
    "question",
    "question_change",
    "robot_add",
    "robot",
    "robot_test",
    "robot_again",
    "staff_add",
    "staff_member",
    "submit",
    "survey",
}
TEXT_FORMS = {"hello/", "welcome/post", "jieba/"}
VALUES = {
    "<slug:code>": "north",
    "<slug:name>": "0a7d3f",
    "<slug:reference>": "22222222",
    "<int:pk>": "1",
    "<uidb64>": "MQ",
    "<token>": "x-y",
    r"^hello/(?P<name>(?s:.+))\Z": "hello/Tom",
}


def pages() -> Iterator[str]:
    """Yield the path of each page without a form; of the admin only the login, since the rest is Django's."""
    populate_apps()

    def below(resolver: URLResolver, prefix: str) -> Iterator[str]:
        for entry in resolver.url_patterns:
            route = str(entry.pattern)
            for placeholder, value in VALUES.items():
                route = route.replace(placeholder, value)
            if isinstance(entry, URLResolver):
                if route != "admin/":
                    yield from below(entry, prefix + route)
            elif isinstance(entry, URLPattern) and entry.name not in FORMS and route not in TEXT_FORMS:
                yield prefix + route

    yield from below(get_resolver(), "/")
    yield "/admin/login/"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("logged_in", [False, True])
def test_a_page_without_a_form_returns_405_and_names_the_allowed_methods(chain, logged_in: bool, method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    if logged_in:
        client.force_login(chain.head)
    found = sorted(pages())
    assert {"/thanks/22222222", "/privacy", "/erase/done", "/dashboard/", "/dashboard/export.csv"} <= set(found)
    for path in found:
        response = getattr(client, method)(path)
        assert (path, response.status_code) == (path, 405)
        assert response["Allow"] == "GET, HEAD"


def test_a_staff_form_requires_its_csrf_token(chain) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(chain.head)
    for path in ("/dashboard/branches/add/", "/dashboard/staff/add/", "/dashboard/language/", "/dashboard/logout/"):
        assert client.post(path).status_code == 403
