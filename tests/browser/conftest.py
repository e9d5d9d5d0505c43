"""A real browser: Debian's Chromium, driven by Playwright, against Django's live server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

# Playwright's own loop runs in this thread, and Django takes that for asynchronous code; all of it is synchronous.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {375: 812, 1280: 800}  # a phone and a desk, in CSS pixels, with their heights
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}  # what the URL says, and what the browser prefers


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, started once; without it the tests are skipped with the reason, and fail in CI."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        executable = None
    if executable is None:
        reason = "no browser: install Debian's chromium, and playwright from requirements-dev.txt"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """`open_page("/privacy?lang=en", width=375, dark=True, script=False)`: a page in a browser profile of its own.

    At the end no page may have asked another host, broken the Content-Security-Policy or raised an error.
    """
    contexts = []
    complaints: list[str] = []

    def open_one(path: str = "/", *, width: int = 375, dark: bool = False, script: bool = True, **options: Any) -> Any:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": WIDTHS[width]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            **{"locale": "zh-CN", **options},
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: None if _is_ours(request.url) else complaints.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: _is_violation(message.text) and complaints.append(message.text))
        page.goto(path)
        return page

    def _is_ours(url: str) -> bool:
        return url.startswith((live_server.url, "data:"))

    def _is_violation(text: str) -> bool:
        return "Content Security Policy" in text

    yield open_one
    for context in contexts:
        context.close()
    assert not complaints
