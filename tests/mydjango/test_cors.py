"""CORS_ORIGINS: pages of named origins post to /submitSurvey; no other origin, no other path, no cookies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from survey.models import Submission
from tests.support.processes import ROOT

NAMED = "https://www.example.com"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,idempotency-key"}
VALID = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}


@pytest.fixture
def named(settings: LazySettings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [NAMED]
    place = settings.MIDDLEWARE.index("mydjango.operations.invocation.InvocationMiddleware") + 1
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE[:place],
        "corsheaders.middleware.CorsMiddleware",
        *settings.MIDDLEWARE[place:],
    ]


def permissions(response: Any) -> dict[str, str]:
    return {
        name.lower(): value for name, value in response.headers.items() if name.lower().startswith("access-control")
    }


@pytest.mark.usefixtures("named")
def test_the_preflight_of_a_named_origin_is_permitted(client: Client, settings: LazySettings) -> None:
    settings.SECURE_SSL_REDIRECT = True  # a redirected preflight fails
    response = client.options("/submitSurvey", headers={"origin": NAMED, **PREFLIGHT})
    assert response.status_code == 200
    assert permissions(response) == {
        "access-control-allow-origin": NAMED,
        "access-control-allow-headers": "content-type, idempotency-key",
        "access-control-allow-methods": "POST",
        "access-control-max-age": "86400",
        "access-control-expose-headers": "Idempotent-Replayed, Location, Retry-After",
    }


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("origin", ["https://evil.example.com", "http://www.example.com", f"{NAMED}.evil.com", "null"])
def test_another_origin_gets_no_permission(client: Client, origin: str) -> None:
    assert not permissions(client.options("/submitSurvey", headers={"origin": origin, **PREFLIGHT}))
    response = client.post("/submitSurvey", {}, content_type="application/json", headers={"origin": origin})
    assert not permissions(response)


@pytest.mark.usefixtures("named")
@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/hello/", "/thanks/22222222", "/erase", "/dashboard/", "/submitSurvey/"])
def test_another_path_gives_no_permission(client: Client, path: str) -> None:
    assert not permissions(client.options(path, headers={"origin": NAMED, **PREFLIGHT}))
    assert not permissions(client.get(path, headers={"origin": NAMED}))


@pytest.mark.usefixtures("named")
@pytest.mark.django_db
def test_a_named_origin_reads_what_it_sent_and_why_it_was_refused(client: Client) -> None:
    for values, status in ((VALID, 201), ({}, 400), ({**VALID, "submission_id": 5}, 400)):
        response = client.post("/submitSurvey", values, content_type="application/json", headers={"origin": NAMED})
        assert response.status_code == status
        assert permissions(response)["access-control-allow-origin"] == NAMED
        assert "access-control-allow-credentials" not in permissions(response)
        assert "origin" in response["Vary"].lower()
    assert Submission.objects.count() == 1


@pytest.mark.usefixtures("named")
def test_errors_of_django_itself_can_be_read_too(client: Client) -> None:
    response = client.post("/submitSurvey", "x", content_type="text/xml", headers={"origin": NAMED})
    assert (response.status_code, permissions(response)["access-control-allow-origin"]) == (415, NAMED)
    response = client.put("/submitSurvey", headers={"origin": NAMED, "accept": "application/json"})
    assert (response.status_code, permissions(response)["access-control-allow-origin"]) == (405, NAMED)


def read_settings(origins: str) -> subprocess.CompletedProcess[str]:
    """Import the settings in a process of its own, with CORS_ORIGINS."""
    code = "import json; from mydjango import settings as s; print(json.dumps([s.CORS_ALLOWED_ORIGINS, s.MIDDLEWARE]))"
    environment = {**os.environ, "CORS_ORIGINS": origins}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_the_setting_names_origins_and_without_it_nothing_is_imported() -> None:
    origins, middleware = json.loads(read_settings(f"{NAMED}, http://localhost:5173").stdout)
    assert origins == [NAMED, "http://localhost:5173"]
    assert "corsheaders.middleware.CorsMiddleware" in middleware
    origins, middleware = json.loads(read_settings("").stdout)
    assert origins == []
    assert "corsheaders.middleware.CorsMiddleware" not in middleware


@pytest.mark.parametrize("origins", ["*", "www.example.com", f"{NAMED}/", f"{NAMED}/page", "ftp://example.com", "null"])
def test_what_is_no_origin_stops_the_start(origins: str) -> None:
    refused = read_settings(origins)
    assert refused.returncode
    assert "CORS_ORIGINS has" in refused.stderr
