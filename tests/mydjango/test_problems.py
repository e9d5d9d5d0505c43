"""Errors speak the caller's format, also where Django itself answers."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

JSON = {"accept": "application/json"}
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(("path", "status"), [("/nothing/here", 404), ("/admin/nothing", 404)])
@pytest.mark.django_db
def test_json_callers_get_problems_for_what_is_not_there(
    admin_client: Client, settings: Settings, debug: bool, path: str, status: int
) -> None:
    settings.DEBUG = debug
    answer = admin_client.get(path, headers=JSON)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


def test_everyone_else_gets_a_sentence(client: Client) -> None:
    answer = client.get("/nothing/here")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == "There is nothing at /nothing/here."


@pytest.mark.parametrize(("path", "link"), [("/nothing/here", "/?lang=en"), ("/dashboard/nothing", "/dashboard/")])
def test_a_browser_gets_a_page_that_leads_on_and_asks_no_database(client: Client, path: str, link: str) -> None:
    answer = client.get(f"{path}?lang=en", headers=BROWSER)
    assert answer.status_code == 404
    text = answer.content.decode()
    assert '<html lang="en">' in text
    assert "There is no such page" in text
    assert f'href="{link}"' in text


def test_the_page_is_in_the_browsers_language(client: Client) -> None:
    answer = client.get("/nothing/here", headers={**BROWSER, "accept-language": "zh-CN"})
    assert "没有这个页面" in answer.content.decode()


def test_a_text_endpoint_has_no_pages(client: Client) -> None:
    answer = client.get("/welcome/nothing-here", headers=BROWSER)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


def test_an_expired_form_is_explained_without_inline_style_and_without_what_was_typed() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/dashboard/login/?lang=en", {"username": "x", "password": "secret"}, headers=BROWSER)
    text = answer.content.decode()
    assert answer.status_code == 403
    assert "This form has expired" in text
    assert "<style" not in text
    assert "secret" not in text
    for headers, media_type in ((JSON, "application/problem+json"), ({}, "text/plain; charset=utf-8")):
        answer = client.post("/dashboard/login/", {"username": "x"}, headers=headers)
        assert (answer.status_code, answer["Content-Type"]) == (403, media_type)


def test_a_host_that_is_not_ours_is_a_problem(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["survey.example.com"]
    answer = client.get("/hello/Tom", headers={**JSON, "host": "evil.example.com"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_an_error_inside_shows_nothing_of_itself(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("survey.guest.openapi.HttpResponse", broken)
    client.raise_request_exception = False
    for headers in (JSON, {}):
        answer = client.get("/openapi.json", headers=headers)
        assert answer.status_code == 500
        assert "secret" not in answer.content.decode()
