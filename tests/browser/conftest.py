"""A real browser: Debian's Chromium, driven by Playwright, against Django's live server."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

# Playwright's event loop runs in this thread, so Django believes the synchronous tests asynchronous.
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
WIDTHS = {320: 568, 360: 740, 375: 812, 1280: 800}  # phones and a desk, in CSS pixels, with their heights
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}  # `lang` in the URL, and the locale of the browser


NODE_MODULES = Path(__file__).parent.parent / "node_modules"
CHROMIUM_86 = NODE_MODULES / "chrome-aws-lambda" / "bin" / "chromium.br"
CHROMIUM_74 = NODE_MODULES / "chromium-74" / "bin" / "chromium-74.0.3723.0.br"


def unpack(packed: Path, folder: Path) -> Path:
    """Unpack a Chromium of an npm package and return its executable. Without it skip the test, but fail in CI."""
    node = shutil.which("node")
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        _skip_or_fail("it where it runs: Linux on x86_64")
    if node is None or not packed.exists():
        _skip_or_fail("Node and 'npm ci --prefix tests --ignore-scripts'")
    script = "const [from, to] = process.argv.slice(1), fs = require('fs'), zlib = require('zlib');"
    script += "fs.writeFileSync(to, zlib.brotliDecompressSync(fs.readFileSync(from)), {mode: 0o755})"
    subprocess.run([node, "-e", script, packed, folder / "chromium"], check=True)
    return folder / "chromium"


@pytest.fixture(scope="session")
def playwright(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start Playwright. Without it skip the tests, but fail in CI.

    It starts in a temporary folder: a private window of Chromium writes the photos of IndexedDB below the current one.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _skip_or_fail("playwright from requirements-dev.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("chromium"))
        started = sync_playwright().start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def chromium(playwright: Any) -> Iterator[Any]:
    """Start Debian's Chromium once."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        _skip_or_fail("Debian's chromium")
    browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def chromium_86(playwright: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start Chromium 86 from an npm package: WeChat's built-in browser has no older base."""
    executable = unpack(CHROMIUM_86, tmp_path_factory.mktemp("chromium86"))
    browser = playwright.chromium.launch(executable_path=executable, args=[*FLAGS, "--headless", "--no-zygote"])
    assert browser.version.startswith("86.")
    yield browser
    browser.close()


class OldPage:
    """A page of a Chromium without the API by which Playwright finds out whether an element is visible."""

    VISIBLE = """(selector) => {
        const box = document.querySelector(selector)?.getBoundingClientRect();
        return !!box && box.width > 0 && box.height > 0;
    }"""

    def __init__(self, page: Any) -> None:
        self._page = page
        for name in ("check", "click", "dblclick", "fill"):
            setattr(self, name, partial(getattr(page, name), force=True))
        self.wait_for_selector = page.text_content  # waits too

    def is_visible(self, selector: str) -> bool:
        """Return whether the element has a size."""
        return bool(self._page.evaluate(self.VISIBLE, selector))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._page, name)


def _skip_or_fail(missing: str) -> NoReturn:
    reason = f"no browser: install {missing}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def browser(chromium: Any) -> Any:
    """The browser that opens the pages; a module may override it."""
    return chromium


@pytest.fixture
def open_page(browser: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """Return `open_page("/privacy?lang=en", width=375, dark=True, script=False)`, which uses a new browser profile.

    Fail at the end if a page requested another host, violated the Content-Security-Policy or raised an error.
    """
    contexts = []
    complaints: list[str] = []

    def open_one(path: str = "/", *, width: int = 375, dark: bool = False, script: bool = True, **options: Any) -> Any:
        context = browser.new_context(
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
        return OldPage(page) if browser.version.startswith("86.") else page

    def _is_ours(url: str) -> bool:
        return url.startswith((live_server.url, "data:"))

    def _is_violation(text: str) -> bool:
        return "Content Security Policy" in text

    yield open_one
    for context in contexts:
        context.close()
    assert not complaints
