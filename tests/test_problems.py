"""Errors speak the caller's format, also where Django itself answers."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

JSON = {"accept": "application/json"}


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


def test_a_host_that_is_not_ours_is_a_problem(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["survey.example.com"]
    answer = client.get("/hello/Tom", headers={**JSON, "host": "evil.example.com"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_an_error_inside_shows_nothing_of_itself(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("survey.views.openapi.HttpResponse", broken)
    client.raise_request_exception = False
    for headers in (JSON, {}):
        answer = client.get("/openapi.json", headers=headers)
        assert answer.status_code == 500
        assert "secret" not in answer.content.decode()
