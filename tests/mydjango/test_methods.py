"""A page without a form answers a POST with 405, whatever the middleware before it wants to see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from mydjango.cold_start.deferred_apps import populate_apps

# Pages that take a POST, by name. The others, as every page that is new here, must not.
FORMS = {
    "branch",
    "branch-survey",
    "branch_add",
    "erase",
    "invitation",
    "language",
    "login",
    "logout",
    "password_change",
    "password_choose",
    "password_forgotten",
    "submission",
    "staff_add",
    "staff_member",
    "submit",
    "survey",
}
TEXT_FORMS = {"hello/", "welcome/post", "jieba/"}
VALUES = {
    "<slug:code>": "north",
    "<slug:reference>": "22222222",
    "<int:pk>": "1",
    "<uidb64>": "MQ",
    "<token>": "x-y",
    r"^hello/(?P<name>(?s:.+))\Z": "hello/Tom",
}


def pages() -> Iterator[str]:
    """The path of each page without a form. Of the admin, which is Django's, the login is ours."""
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
def test_a_page_without_a_form_answers_405_and_names_what_it_takes(chain, logged_in: bool, method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    if logged_in:
        client.force_login(chain.head)
    found = sorted(pages())
    assert {"/thanks/22222222", "/privacy", "/erase/done", "/dashboard/", "/dashboard/export.csv"} <= set(found)
    for path in found:
        answer = getattr(client, method)(path)
        assert (path, answer.status_code) == (path, 405)
        assert answer["Allow"] == "GET, HEAD"


def test_a_form_of_staff_still_wants_its_token(chain) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(chain.head)
    for path in ("/dashboard/branches/add/", "/dashboard/staff/add/", "/dashboard/language/", "/dashboard/logout/"):
        assert client.post(path).status_code == 403
