"""The script of docs/embedding.md, on a page of another origin in a real browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from pytest_django.live_server_helper import LiveServer

from survey.models import Submission

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DOCUMENT = Path(__file__).parents[2] / "docs" / "embedding.md"
VALID = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}


class OtherSite(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Another site</title>")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def other_origin() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), OtherSite) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def server(settings: LazySettings, other_origin: str) -> Iterator[LiveServer]:
    """Start a server of its own: the `live_server` of the session may have loaded its middleware before."""
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.CORS_ALLOWED_ORIGINS = [other_origin]
    settings.MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware", *settings.MIDDLEWARE]
    server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture
def page(chromium: Any, server: LiveServer, other_origin: str) -> Iterator[Any]:
    [script] = re.findall(r"```js\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    page = chromium.new_page()
    page.goto(other_origin)
    page.add_script_tag(content=script.replace("https://survey.example.com", server.url))
    yield page
    page.close()


def test_the_documented_script_sends_a_submission_once(page: Any) -> None:
    first = page.evaluate("values => send(values)", VALID)
    assert page.evaluate("values => send(values)", VALID) == first
    submission = Submission.objects.get()
    assert (first["reference"], submission.name) == (submission.reference, "Tom")
    assert page.context.cookies() == []


def test_the_documented_script_learns_which_field_was_wrong(page: Any) -> None:
    errors = page.evaluate("values => send(values).catch((error) => error.errors)", {**VALID, "phone": "12"})
    assert list(errors) == ["phone"]


def test_a_page_of_another_origin_cannot_send(page: Any, settings: LazySettings) -> None:
    settings.CORS_ALLOWED_ORIGINS = []
    assert page.evaluate("values => send(values).catch((error) => error.name)", VALID) == "TypeError"
    assert not Submission.objects.exists()
