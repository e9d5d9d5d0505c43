"""The survey in Chromium 74, as old as the oldest web views of Android 9 that are not updated."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from survey.models import Submission
from tests.browser.conftest import CHROMIUM_74, FLAGS, unpack
from tests.support.eventually import eventually

LISTENING = re.compile(r"DevTools listening on ws://([^/]+)/")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


class OldBrowser:
    """One page, driven by the DevTools protocol: Playwright needs a newer one."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.exceptions: list[str] = []
        self._call("Runtime.enable")
        self._call("Page.enable")

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=20))
            if message.get("method") == "Runtime.exceptionThrown":
                self.exceptions.append(json.dumps(message["params"]))
            if message.get("id") == self._number:
                return message

    def run(self, script: str) -> Any:
        """Return the value of an expression; None while the page loads."""
        result = self._call("Runtime.evaluate", expression=script, returnByValue=True).get("result", {})
        return result.get("result", {}).get("value")

    def open(self, url: str) -> None:
        """Load a page and wait for its form."""
        self._call("Page.navigate", url=url)
        eventually(lambda: self.run("location.pathname !== 'blank' && document.readyState") == "complete")


def pages_of(address: str) -> list[dict[str, str]]:
    """Return the open pages of a browser; none while it starts."""
    with urllib.request.urlopen(f"http://{address}/json/list") as response:
        return json.load(response)


@pytest.fixture
def page(live_server: Any, settings: Any, tmp_path: Path) -> Iterator[OldBrowser]:
    settings.MINIMUM_FILL_SECONDS = 0
    options = [*FLAGS, "--headless", "--no-zygote", "--remote-debugging-port=0", "about:blank"]
    command = [unpack(CHROMIUM_74, tmp_path), *options]
    # It keeps the blobs of IndexedDB in its working directory.
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = next(match[1] for line in process.stderr if (match := LISTENING.search(line)))
            threading.Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop the browser
            pages: list[dict[str, str]] = []
            eventually(lambda: pages.extend(pages_of(address)) or pages)
            with connect(pages[0]["webSocketDebuggerUrl"], max_size=None) as socket:
                browser = OldBrowser(socket)
                browser.open(f"{live_server.url}/?lang=en")
                yield browser
                assert not browser.exceptions
        finally:
            process.kill()


def test_an_error_shows_and_a_submission_arrives(page: OldBrowser) -> None:
    assert "Chrome/74." in page.run("navigator.userAgent")
    assert not page.run("'replaceChildren' in Element.prototype")
    assert page.run("getComputedStyle(document.querySelector('.low')).display") == "none"
    page.run("document.querySelector('button.send').click()")
    eventually(lambda: page.run("document.querySelector('#survey .error') && true"))
    assert "five" in page.run("document.querySelector('#survey .error').textContent")
    page.run("document.getElementById('id_satisfaction_0').click()")
    assert page.run("getComputedStyle(document.querySelector('.low')).display") == "block"
    page.run("document.getElementById('id_problems_2').click()")
    page.run("document.querySelector('button.send').click()")
    eventually(lambda: page.run("document.querySelector('.reference') && true"))
    assert Submission.objects.get().satisfaction == 1


def test_targets_do_not_touch_without_the_gap_of_flex_boxes(page: OldBrowser) -> None:
    page.run("document.getElementById('id_satisfaction_0').click()")
    touching = """[".chip", ".recommend .choice", "footer a"].filter((selector) => {
        const boxes = Array.from(document.querySelectorAll(selector), (element) => element.getBoundingClientRect());
        return boxes.some((box, i) => boxes.some((other, j) => i < j && box.left < other.right + 1
            && other.left < box.right + 1 && box.top < other.bottom && other.top < box.bottom));
    })"""
    assert page.run(touching) == []


def test_a_photo_is_shrunk_stands_upright_and_arrives(
    page: OldBrowser, settings: Any, tmp_path: Path, chromium: Any
) -> None:
    """This browser does not turn photos by itself, so the page's script does."""
    settings.PHOTO_BUCKET_URL, settings.PHOTO_FOLDER = "", str(tmp_path / "photos")
    page.run("document.getElementById('id_satisfaction_0').click()")
    eventually(lambda: page.run("document.getElementById('id_photo_files') && true"))
    page.run(TURNED_PHOTO)
    eventually(lambda: page.run("document.querySelector('.photos li') && true"))
    eventually(lambda: page.run("document.querySelector('.photos li').textContent.includes('Ready')"))
    page.run("document.querySelector('button.send').click()")
    eventually(lambda: page.run("document.querySelector('.reference') && true"))
    [photo] = Submission.objects.get().photos.all()
    content = list((tmp_path / "photos" / photo.key).read_bytes())
    reader = chromium.new_page()
    size = """async (bytes) => {
        const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/jpeg" }));
        return [bitmap.width, bitmap.height];
    }"""
    assert reader.evaluate(size, content) == [800, 1600]
    reader.close()


# Choose a JPEG of 2000 by 1000 pixels whose EXIF says that the phone was held upright.
TURNED_PHOTO = """(() => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2000, 1000];
    canvas.getContext("2d").fillRect(0, 0, 1000, 1000);
    const jpeg = Uint8Array.from(atob(canvas.toDataURL("image/jpeg").split(",")[1]), (c) => c.charCodeAt(0));
    const exif = [0xff, 0xe1, 0, 34, 69, 120, 105, 102, 0, 0, 77, 77, 0, 42, 0, 0, 0, 8];
    const entry = [0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
    const file = new File([jpeg.slice(0, 2), new Uint8Array([...exif, ...entry]), jpeg.slice(2)], "a.jpg");
    const chosen = new DataTransfer();
    chosen.items.add(file);
    const input = document.getElementById("id_photo_files");
    input.files = chosen.files;
    input.dispatchEvent(new Event("change"));
})()"""
