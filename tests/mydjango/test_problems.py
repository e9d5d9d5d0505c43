"""Error responses have the caller's format, also those that Django itself makes."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, OperationalError, ProgrammingError
from django.http import HttpResponse
from django.http.request import validate_host
from django.test import Client, RequestFactory
from pytest_django import Settings

from mydjango.http.unavailable import NOT_MIGRATED, UnavailableMiddleware
from mydjango.operations.environment import platform_hosts

JSON = {"accept": "application/json"}
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(("path", "status"), [("/nothing/here", 404), ("/admin/nothing", 404)])
@pytest.mark.django_db
def test_json_callers_get_a_problem_for_an_unknown_path(
    admin_client: Client, settings: Settings, debug: bool, path: str, status: int
) -> None:
    settings.DEBUG = debug
    response = admin_client.get(path, headers=JSON)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert response.json()["status"] == status


def test_other_programs_get_a_sentence(client: Client) -> None:
    response = client.get("/nothing/here")
    assert response.status_code == 404
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode() == "There is nothing at /nothing/here."


@pytest.mark.parametrize(
    ("path", "link"), [("/nothing/here", "/?lang=en"), ("/dashboard/nothing", "/dashboard/today/")]
)
def test_a_browser_gets_a_page_with_a_link_and_no_query_is_made(client: Client, path: str, link: str) -> None:
    response = client.get(f"{path}?lang=en", headers=BROWSER)
    assert response.status_code == 404
    text = response.content.decode()
    assert '<html lang="en">' in text
    assert "Page not found" in text
    assert f'href="{link}"' in text


def test_the_error_page_is_in_the_browsers_language(client: Client) -> None:
    response = client.get("/nothing/here", headers={**BROWSER, "accept-language": "zh-CN"})
    assert "没有这个页面" in response.content.decode()


def test_a_text_endpoint_has_no_pages(client: Client) -> None:
    response = client.get("/welcome/nothing-here", headers=BROWSER)
    assert response["Content-Type"] == "text/plain; charset=utf-8"


def test_an_expired_form_is_explained_without_inline_style_or_posted_values() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/dashboard/login/?lang=en", {"username": "x", "password": "secret"}, headers=BROWSER)
    text = response.content.decode()
    assert response.status_code == 403
    assert "This form has expired" in text
    assert "<style" not in text
    assert "secret" not in text
    for headers, media_type in ((JSON, "application/problem+json"), ({}, "text/plain; charset=utf-8")):
        response = client.post("/dashboard/login/", {"username": "x"}, headers=headers)
        assert (response.status_code, response["Content-Type"]) == (403, media_type)


def test_a_host_that_is_not_allowed_is_a_problem(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["survey.example.com"]
    response = client.get("/hello/Tom", headers={**JSON, "host": "evil.example.com"})
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")


def test_without_settings_the_log_names_the_refused_host_and_what_to_set(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TENCENTCLOUD_RUNENV", "SCF")
    settings.ALLOWED_HOSTS = settings.PLATFORM_HOSTS = platform_hosts()
    assert client.get("/hello/Tom", headers={"host": "12-abc.ap-guangzhou.tencentscf.com"}).status_code == 200
    assert client.get("/hello/Tom", headers={"host": "survey.example.com"}).status_code == 400
    [record] = [record for record in caplog.records if record.getMessage() == "host.refused"]
    assert (record.host, record.set) == ("survey.example.com", "PUBLIC_URL or ALLOWED_HOSTS")


@pytest.mark.parametrize(
    ("variables", "host"),
    [
        ({"TENCENTCLOUD_RUNENV": "SCF"}, "1250000000-abc.ap-guangzhou.tencentscf.com"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_REGION": "eu-west-1"}, "abc.lambda-url.eu-west-1.on.aws"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_REGION": "eu-west-1"}, "abc.execute-api.eu-west-1.amazonaws.com"),
        ({"FC_FUNCTION_NAME": "f", "FC_REGION": "cn-hangzhou"}, "survey-abc.cn-hangzhou.fcapp.run"),
    ],
)
def test_the_host_that_a_platform_gives_a_function_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], host: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert validate_host(host, platform_hosts())
    assert not validate_host("evil.example.com", platform_hosts())


@pytest.mark.parametrize("error", [OperationalError("no such table: x"), ProgrammingError(1146, "no such table")])
def test_in_development_a_missing_table_is_a_sentence(
    rf: RequestFactory, settings: Settings, error: DatabaseError
) -> None:
    settings.DEBUG = True
    response = UnavailableMiddleware(HttpResponse).process_exception(rf.post("/submitSurvey"), error)
    assert (response.status_code, response.content.decode()) == (503, NOT_MIGRATED)


def test_an_internal_error_shows_nothing_of_the_exception(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("survey.guest.openapi.HttpResponse", broken)
    client.raise_request_exception = False
    for headers in (JSON, {}):
        response = client.get("/openapi.json", headers=headers)
        assert response.status_code == 500
        assert "secret" not in response.content.decode()
