"""A guest adds photos in a real browser: shrunk, without their place, uploaded with progress, kept while offline."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from survey.models import Photo, Submission
from tests.browser.accessibility import violations
from tests.support.eventually import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Open = Callable[..., Any]

# Where elements begin, in pixels from the top of the page.
TOPS = "(all) => all.map((one) => document.querySelector(one).getBoundingClientRect().top + scrollY)"
# The sum of all layout shifts since the page was opened: https://web.dev/articles/cls
LAYOUT_SHIFT = """() => new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += entry.value)))
        .observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(sum))));
})"""
VISIBILITY = "getComputedStyle(document.querySelector('h1')).visibility"
PLACE = b"Shanghai, People's Square"  # where the photo was taken, in its EXIF


@pytest.fixture(params=["chromium", "chromium_86"])
def browser(request: pytest.FixtureRequest) -> Any:
    """The current browser, and the oldest that Playwright drives."""
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    settings.MINIMUM_FILL_SECONDS = 0
    settings.PHOTO_BUCKET_URL, settings.PHOTO_FOLDER = "", str(tmp_path / "photos")
    return tmp_path / "photos"


@pytest.fixture(scope="module")
def picture(chromium: Any) -> Iterator[Callable[..., dict[str, Any]]]:
    """Return `picture(width, height, turned=6)`: a JPEG whose left half is red, with a place in its EXIF."""
    page = chromium.new_page()

    def make(width: int = 3000, height: int = 2000, turned: int = 1) -> dict[str, Any]:
        text = page.evaluate(
            """([width, height]) => {
                const canvas = document.createElement("canvas");
                [canvas.width, canvas.height] = [width, height];
                const context = canvas.getContext("2d");
                context.fillStyle = "#00f";
                context.fillRect(0, 0, width, height);
                context.fillStyle = "#f00";
                context.fillRect(0, 0, width / 2, height);
                return Array.from(atob(canvas.toDataURL("image/jpeg").split(",")[1]), (c) => c.charCodeAt(0));
            }""",
            [width, height],
        )
        entries = struct.pack(">H", 2) + struct.pack(">HHIHH", 0x0112, 3, 1, turned, 0)
        entries += struct.pack(">HHII", 0x010E, 2, len(PLACE), 38) + b"\0\0\0\0"
        exif = b"Exif\0\0MM\0*\0\0\0\x08" + entries + PLACE
        jpeg = bytes(text)
        jpeg = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
        return {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": jpeg}

    yield make
    page.close()


def add(page: Any, *pictures: dict[str, Any]) -> None:
    """Choose files, after opening the field by its link where a low score has not."""
    if not page.is_visible("#id_photo_files"):
        page.click("#photos > button")
    page.set_input_files("#id_photo_files", list(pictures))


def wait_for_photos(page: Any, count: int, text: str = "Ready") -> None:
    script = """([n, text]) => {
        const items = Array.from(document.querySelectorAll(".photos li"));
        return items.filter((item) => item.textContent.includes(text)).length === n;
    }"""
    page.wait_for_function(script, arg=[count, text])


def hold(page: Any, url: str, **options: Any) -> list[Any]:
    """Hold the requests to a URL, but not its uploads, which post there; return the list that they come into."""
    held: list[Any] = []
    page.route(
        re.compile(url),
        lambda route: held.append(route) if route.request.method == "GET" else route.continue_(),
        **options,
    )
    return held


def send(page: Any) -> None:
    page.click("button.send")


def files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def colours(chromium: Any, file: Path) -> dict[str, Any]:
    """Return width, height and the colours at the left, right, top and bottom of a stored photo."""
    page = chromium.new_page()
    found = page.evaluate(
        """async (bytes) => {
            const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/jpeg" }));
            const canvas = document.createElement("canvas");
            const [w, h] = [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
            const context = canvas.getContext("2d");
            context.drawImage(bitmap, 0, 0);
            const at = (x, y) => (context.getImageData(x, y, 1, 1).data[0] > 128 ? "red" : "blue");
            const places = { left: [3, h / 2], right: [w - 3, h / 2], top: [w / 2, 3], bottom: [w / 2, h - 3] };
            return { w, h, ...Object.fromEntries(Object.entries(places).map(([name, xy]) => [name, at(...xy)])) };
        }""",
        list(file.read_bytes()),
    )
    page.close()
    return found


def test_a_photo_is_made_small_loses_its_place_and_belongs_to_the_submission(
    open_page: Open, picture: Any, folder: Path, chromium: Any
) -> None:
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_4")
    add(page, picture())
    wait_for_photos(page, 1)
    send(page)
    page.wait_for_selector(".reference")
    [photo] = Submission.objects.get().photos.all()
    [file] = files(folder)
    assert file == folder / photo.key
    content = file.read_bytes()
    assert PLACE not in content
    assert b"Exif" not in content
    found = colours(chromium, file)
    assert (found["w"], found["h"], found["left"], found["right"]) == (1600, 1067, "red", "blue")


@pytest.mark.parametrize(
    ("turned", "size", "red"),
    [
        (1, (1600, 800), "left"),
        (2, (1600, 800), "right"),
        (3, (1600, 800), "right"),
        (4, (1600, 800), "left"),
        (5, (800, 1600), "top"),
        (6, (800, 1600), "top"),
        (7, (800, 1600), "bottom"),
        (8, (800, 1600), "bottom"),
    ],
)
def test_a_photo_stands_upright_however_the_phone_was_held(
    open_page: Open, picture: Any, folder: Path, chromium: Any, turned: int, size: tuple[int, int], red: str
) -> None:
    page = open_page("/?lang=en")
    add(page, picture(2000, 1000, turned))
    wait_for_photos(page, 1)
    found = colours(chromium, files(folder)[0])
    assert (found["w"], found["h"]) == size
    opposite = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}[red]
    assert (found[red], found[opposite]) == ("red", "blue")


def test_a_low_score_asks_for_photos_and_any_other_has_a_quiet_link(open_page: Open) -> None:
    page = open_page("/?lang=en")
    assert page.is_visible("#photos > button")
    page.check("#id_satisfaction_4")
    assert not page.is_visible("#id_photo_files")
    page.check("#id_satisfaction_0")
    assert page.is_visible("#id_photo_files")
    assert not page.is_visible("#photos > button")


@pytest.mark.parametrize("opens", ["#id_satisfaction_0", "#photos > button"])
def test_the_field_opens_in_the_tap_and_nothing_moves_afterwards(open_page: Open, opens: str) -> None:
    page = open_page("/?lang=en", width=320)
    held: list[Any] = []
    page.route(re.compile(r"/photos\?"), lambda route: held.append(route))
    places = ["#id_photo_files", "#id_recommend_0", "button.send"]
    page.click(opens)
    before = page.evaluate(TOPS, places)
    assert page.is_visible("#id_photo_files")
    eventually(lambda: page.evaluate("1") and held)
    assert page.query_selector(".photos ul") is None
    held[0].continue_()
    page.wait_for_function("() => document.querySelector('.photos ul')")
    assert page.evaluate(TOPS, places) == before


def test_a_photo_chosen_before_the_script_has_come_is_taken_and_without_it_none_stays(
    open_page: Open, picture: Any
) -> None:
    page = open_page("/?lang=en")
    held = hold(page, r"/photos\?")
    add(page, picture(400, 300))
    eventually(lambda: page.evaluate("1") and held)
    held[0].abort()
    page.wait_for_function("() => !document.getElementById('id_photo_files').files.length")
    page.set_input_files("#id_photo_files", [picture(400, 300)])  # and the field tries again
    eventually(lambda: page.evaluate("1") and len(held) == 2)
    held[1].continue_()
    wait_for_photos(page, 1)


def test_a_photo_chosen_while_the_field_is_built_is_taken_once(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    page.evaluate("""() => {
        const getAll = IDBObjectStore.prototype.getAll;
        IDBObjectStore.prototype.getAll = function () {
            const request = getAll.call(this);
            const hold = () => { if (!window.released) this.count().onsuccess = hold; };
            hold();
            window.isAsked = true;
            return request;
        };
        const create = window.createImageBitmap;
        window.opened = 0;
        window.createImageBitmap = (source) => {
            window.opened += source instanceof File;
            return create(source);
        };
    }""")
    page.click("#photos > button")
    page.wait_for_function("() => window.isAsked")
    page.set_input_files("#id_photo_files", [picture(400, 300)])
    page.evaluate("window.released = true")
    wait_for_photos(page, 1)
    assert page.evaluate("window.opened") == 1


def test_two_choices_in_a_row_share_the_room_for_photos(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    page.evaluate("""() => {
        const create = window.createImageBitmap;
        window.held = [];
        window.createImageBitmap = (source) => new Promise((resolve) => {
            const go = () => resolve(create(source));
            if (window.held) window.held.push(go);
            else go();
        });
    }""")
    page.click("#photos > button")
    page.wait_for_function("() => document.querySelector('.photos ul')")
    page.set_input_files("#id_photo_files", [picture(100, 100), picture(100, 101)])
    page.wait_for_function("() => held.length")
    page.set_input_files("#id_photo_files", [picture(100, 102), picture(100, 103)])
    page.evaluate("() => { const waiting = held; held = null; waiting.forEach((go) => go()); }")
    page.wait_for_function("() => document.querySelector('.photos [role=status]').textContent.includes('Up to 3')")
    wait_for_photos(page, 3)


def send_at_once(page: Any, photo: dict[str, Any]) -> None:
    page.check("#id_satisfaction_4")
    page.set_input_files("#id_photo_files", [photo])
    send(page)
    page.wait_for_function("() => document.querySelector('button.send').textContent.includes('Sending')")
    assert not Submission.objects.exists()


@pytest.mark.parametrize("late", ["photos.js", "/photos\\?"], ids=["script", "field"])
@pytest.mark.parametrize(("end", "photos"), [("continue_", 1), ("abort", 0)], ids=["comes", "is lost"])
def test_a_submission_waits_for_what_makes_a_photo_small(
    open_page: Open, picture: Any, late: str, end: str, photos: int
) -> None:
    page = open_page("/?lang=en")
    held = hold(page, late, times=1)
    page.click("#photos > button")
    eventually(lambda: page.evaluate("1") and held)
    send_at_once(page, picture(400, 300))
    getattr(held[0], end)()
    page.wait_for_selector(".reference")
    assert Submission.objects.get().photos.count() == photos


def test_a_submission_waits_for_a_photo_that_is_being_made_small(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    page.evaluate("""() => {
        const create = window.createImageBitmap;
        const released = new Promise((resolve) => { window.release = resolve; });
        window.createImageBitmap = async (source) => { await released; return create(source); };
    }""")
    page.click("#photos > button")
    page.wait_for_function("() => document.querySelector('.photos ul')")
    send_at_once(page, picture(400, 300))
    page.evaluate("release()")
    page.wait_for_selector(".reference")
    assert Submission.objects.get().photos.count() == 1


def test_without_script_there_is_no_photo_field(open_page: Open) -> None:
    page = open_page("/?lang=en", script=False)
    assert not page.is_visible("#photos")


def test_the_link_has_its_room_before_the_script_has_come(open_page: Open) -> None:
    page = open_page("about:blank")
    page.route("**/submit*.js", lambda route: route.abort())
    page.goto("/?lang=en")
    assert page.evaluate("document.getElementById('photos').offsetHeight > 0")
    assert page.evaluate("getComputedStyle(document.querySelector('#photos > button')).visibility") == "hidden"


def test_without_a_bucket_there_is_no_link(open_page: Open, settings: LazySettings) -> None:
    settings.PHOTO_FOLDER = ""
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_0")
    assert not page.is_visible("#photos")


def test_the_page_makes_four_requests_until_photos_are_wanted(open_page: Open) -> None:
    page = open_page("/privacy?lang=en")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto("/?lang=en")
    page.wait_for_load_state("networkidle")
    loaded = [url for url in requests if not url.startswith("data:")]
    assert len(loaded) == 4  # the page, its style, two scripts; the photos' script and field are not among them
    page.check("#id_satisfaction_4")
    page.click("#photos > button")
    eventually(lambda: page.evaluate("document.querySelector('.photos [role=status]') !== null"))  # what it asked for
    later = [re.sub(r"\?.*", "", url.rpartition("/")[2]) for url in requests if not url.startswith("data:")][4:]
    assert sorted(later) == ["photos", "photos.js"]


def test_up_to_three_photos_and_any_can_be_removed(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    add(page, *(picture(100, 100 + number) for number in range(4)))
    wait_for_photos(page, 3)
    assert "Up to 3 photos." in page.text_content(".photos [role=status]")
    eventually(lambda: not page.is_visible("#id_photo_files"))
    page.click(".photos li:nth-child(2) button:last-child")
    wait_for_photos(page, 2)
    eventually(lambda: page.is_visible("#id_photo_files"))
    send_with_score(page)
    assert Submission.objects.get().photos.count() == 2
    assert Photo.objects.filter(submission=None).count() == 1  # which the job deletes


def send_with_score(page: Any) -> None:
    page.check("#id_satisfaction_4")
    send(page)
    page.wait_for_selector(".reference")


def test_a_file_that_is_no_picture_gets_a_sentence(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    add(page, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}, picture(100, 100))
    wait_for_photos(page, 1)
    assert "could not be read" in page.text_content(".photos [role=status]")


def test_the_upload_shows_its_progress_and_can_be_tried_again(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    page.route("**/photos/file/**", lambda route: route.abort())
    add(page, picture(400, 300))
    wait_for_photos(page, 1, "Waiting")
    retry = ".photos li button:nth-of-type(1)"
    assert page.is_visible(retry)
    held: list[Any] = []
    page.unroute("**/photos/file/**")
    page.route("**/photos/file/**", lambda route: held.append(route))
    page.click(retry)
    wait_for_photos(page, 1, "Sending")
    assert page.is_visible(".photos progress")
    eventually(lambda: page.evaluate("1") and held)
    held[0].continue_()
    wait_for_photos(page, 1)
    assert not page.is_visible(".photos progress")


def test_a_photo_that_the_storage_refuses_does_not_hold_the_submission_back(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    page.route("**/photos/file/**", lambda route: route.fulfill(status=400))
    add(page, picture(400, 300), picture(300, 400))
    wait_for_photos(page, 2, "Not sent")
    send_with_score(page)
    assert Submission.objects.get().photos.count() == 0


def test_photos_wait_on_the_device_with_the_submission_and_go_with_it(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    page.route("**/photos/file/**", lambda route: route.abort())
    add(page, picture(400, 300))
    wait_for_photos(page, 1, "Waiting")
    page.check("#id_satisfaction_1")
    page.fill("#id_comment", "cold")
    send(page)
    page.wait_for_selector("#sending >> text=No connection")
    assert not Submission.objects.exists()
    page.goto("/privacy?lang=en")  # any page of ours sends it, but not without its photo
    page.unroute("**/photos/file/**")
    page.goto("/privacy?lang=en")
    eventually(lambda: page.evaluate("1") and Submission.objects.exists())
    submission = Submission.objects.get()
    assert (submission.comment, submission.photos.count()) == ("cold", 1)
    eventually(lambda: page.evaluate(COUNT) == 0)


COUNT = """() => new Promise((resolve) => {
    const opened = indexedDB.open("photos", 1);
    opened.onsuccess = () => {
        const counted = opened.result.transaction("photos").objectStore("photos").count();
        counted.onsuccess = () => resolve(counted.result);
    };
})"""


def test_a_lost_response_is_tried_again_with_the_same_photos(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_4")
    add(page, picture(400, 300))
    wait_for_photos(page, 1)
    lost: list[Any] = []

    def lose(route: Any) -> None:
        lost.append(route.fetch())
        route.abort()

    page.route("**/submitSurvey*", lose)
    send(page)
    page.wait_for_selector("#sending >> text=No connection")
    page.unroute("**/submitSurvey*")
    page.click("#sending button")
    page.wait_for_selector(".reference")
    assert lost[0].status == 201
    assert Submission.objects.get().photos.count() == 1


def test_a_draft_keeps_its_photos_over_a_reload(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_4")
    add(page, picture(400, 300))
    wait_for_photos(page, 1)
    held = hold(page, r"/photos\?")
    page.reload()
    page.wait_for_selector("#kept >> text=typed before")
    eventually(lambda: page.evaluate("1") and held)
    before = page.evaluate(TOPS, ["#id_recommend_0", "button.send"])
    assert page.query_selector(".photos ul") is None
    held[0].continue_()
    wait_for_photos(page, 1)
    assert page.evaluate(TOPS, ["#id_recommend_0", "button.send"]) == before  # the room was kept free
    send(page)
    page.wait_for_selector(".reference")
    assert Submission.objects.get().photos.count() == 1
    assert Photo.objects.count() == 1  # not uploaded twice


def test_a_photo_is_ready_when_the_device_has_stored_its_key(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    page.evaluate("""() => {
        const put = IDBObjectStore.prototype.put;
        IDBObjectStore.prototype.put = function (photo) {
            const request = put.call(this, photo);
            const hold = () => { if (photo.key && !window.released) this.count().onsuccess = hold; };
            hold();
            request.addEventListener("success", () => { window.isPut = Boolean(photo.key); });
            return request;
        };
    }""")
    page.check("#id_satisfaction_4")
    add(page, picture(400, 300))
    page.wait_for_function("() => window.isPut")
    assert "Ready" not in page.inner_text(".photos li")  # a reload would lose the key, and upload the photo again
    page.evaluate("window.released = true")
    wait_for_photos(page, 1)


# Chromium 86 counts elements that were not visible before.
@pytest.mark.parametrize("browser", ["chromium"], indirect=True)
@pytest.mark.parametrize("width", [320, 1280])
def test_a_restored_draft_moves_nothing_that_was_painted(open_page: Open, picture: Any, width: int) -> None:
    page = open_page("/?lang=en", width=width)
    page.check("#id_satisfaction_0")
    page.check("#id_problems_1")
    page.fill("#id_comment", "The soup was cold.")
    add(page, picture(400, 300))
    wait_for_photos(page, 1)
    page.check("#id_anonymous_1")
    page.fill("#id_name", "Tom")
    held: list[Any] = []
    page.route("**/submit*.js", lambda route: held.append(route))
    page.reload(wait_until="commit")
    eventually(lambda: page.evaluate("performance.getEntriesByName('first-contentful-paint').length") and held)
    held[0].continue_()
    page.wait_for_selector("#kept >> text=typed before")
    wait_for_photos(page, 1)
    assert page.evaluate(LAYOUT_SHIFT) < 0.1


def test_a_page_with_a_draft_waits_three_seconds_for_its_script_and_not_for_a_lost_one(open_page: Open) -> None:
    page = open_page("/?lang=en")
    page.fill("#id_comment", "The soup was cold.")
    page.clock.install()
    held: list[Any] = []
    page.route("**/submit*.js", lambda route: held.append(route))
    page.reload(wait_until="commit")
    eventually(lambda: page.evaluate("document.querySelector('footer') !== null") and held)
    assert page.evaluate(VISIBILITY) == "hidden"
    page.clock.run_for(3_000)
    assert page.evaluate(VISIBILITY) == "visible"
    held[0].continue_()
    page.unroute("**/submit*.js")
    page.route("**/submit*.js", lambda route: route.abort())
    page.reload()
    assert page.evaluate(VISIBILITY) == "visible"


def test_start_over_forgets_the_photos(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_4")
    add(page, picture(400, 300))
    wait_for_photos(page, 1)
    page.reload()
    wait_for_photos(page, 1)
    page.click("#kept button")
    wait_for_photos(page, 0)
    eventually(lambda: page.evaluate(COUNT) == 0)
    send_with_score(page)
    assert Submission.objects.get().photos.count() == 0


def test_photos_survive_the_switch_of_the_language_and_an_error(open_page: Open, picture: Any) -> None:
    page = open_page("/?lang=en")
    add(page, picture(400, 300))
    wait_for_photos(page, 1)
    send(page)
    page.wait_for_selector("#survey .error")  # no score yet
    page.click("button.language")
    page.wait_for_url(re.compile(r"lang=zh$"))
    wait_for_photos(page, 1, "已上传")
    send_with_score(page)
    assert Submission.objects.get().photos.count() == 1


@pytest.mark.parametrize("browser", ["chromium"], indirect=True)  # of axe
@pytest.mark.parametrize("dark", [False, True])
def test_the_field_is_accessible(open_page: Open, picture: Any, dark: bool) -> None:
    page = open_page("/?lang=en", width=320, dark=dark)
    page.check("#id_satisfaction_0")
    add(page, picture(400, 300))
    wait_for_photos(page, 1)
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
