"""The pages for staff in a real browser: log in, filter, follow up, export, on a phone and at a desk."""

from __future__ import annotations

import re
from io import StringIO
from itertools import product

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from survey.models import Branch, ErasureRequest, ExportLog, FollowUpNote, Membership, Robot, RobotMessage, Submission
from tests.browser.accessibility import small_targets, violations

pytestmark = pytest.mark.slow

PAGES = (
    "?days=365",
    "?days=dates",
    "?start=2020-01-01&end=2020-01-02",
    "?start=2026-02-02&end=2026-01-01",
    "today/",
    "compare/?days=365",
    "compare/?days=365&branch=renmin",
    "compare/?days=365&branch=renmin&branch=pudong",
    "account/",
    "comments/?days=90&q=味道",
    "comments/?q=没有这个词",
    "follow-up/",
    "follow-up/?status=mine",
    "follow-up/?days=90&status=all",
    "follow-up/?days=dates&problem=cold",
    "erasures/",
    "questions/",
    "questions/aspect/add/",
    "questions/problem/cold/",
    "export/?days=90",
    "export/?days=90&personal=1",
    "branches/",
    "branches/add/",
    "branches/renmin/",
    "branches/renmin/card/",
    "branches/renmin/tables/?first=1&last=3&letters=A",
    "branches/renmin/tables/?first=9&last=1",
    "cards/",
    "brand/",
    "robots/",
    "robots/add/",
    "staff/",
    "staff/add/",
    "password/",
    "password/forgotten/",
)

# For each card its size, the shorter side of its code, and the lower end of its address.
CARD_IN_MILLIMETRES = """() => [...document.querySelectorAll(".table-card")].map((card) => {
    const inMillimetres = (pixels) => pixels / 96 * 25.4;
    const [box, code, address] = [card, ...card.querySelectorAll(".code, .address")]
        .map((element) => element.getBoundingClientRect());
    return {
        card: [Math.round(inMillimetres(box.width)), Math.round(inMillimetres(box.height))],
        code: inMillimetres(Math.min(code.width, code.height)),
        address: inMillimetres(address.bottom - box.top),
    };
})"""


# The size of the smallest text of the page, in pixels.
SMALLEST_LETTERS = """() => Math.min(...[...document.querySelectorAll("main *")]
    .filter((element) => element.getClientRects().length && !element.closest(".visually-hidden"))
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((element) => parseFloat(getComputedStyle(element).fontSize)))"""

# How far an element of a scroller moves when that is scrolled to its end.
MOVED_WHILE_SCROLLING = """(element) => {
    const before = element.getBoundingClientRect().left;
    element.closest(".scroll").scrollLeft = 9999;
    return Math.round(element.getBoundingClientRect().left - before);
}"""


@pytest.fixture
def demo(transactional_db, settings):
    """A small demo."""
    settings.DEBUG = True
    call_command("seed_demo", submissions=1_000, stdout=StringIO())
    settings.DEBUG = False


def send_login(page, name="head@example.com"):
    page.fill("[name=username]", name)
    page.fill("[name=password]", "demo")
    page.press("[name=password]", "Enter")


def log_in(page, name="head@example.com"):
    send_login(page, name)
    page.wait_for_selector("nav")


@pytest.mark.parametrize(("width", "dark", "locale"), [(375, False, "zh-CN"), (1280, True, "en-GB")])
def test_no_page_breaks_accessibility_or_scrolls_sideways(demo, open_page, width, dark, locale):
    page = open_page("/dashboard/", width=width, dark=dark, locale=locale)
    assert not violations(page)
    page.fill("[name=username]", "nobody")
    page.fill("[name=password]", "wrong")
    page.press("[name=password]", "Enter")
    page.wait_for_selector("[role=alert]")
    assert not violations(page)
    log_in(page)
    robot = Robot.objects.create(name="店长群", service="wecom", webhook="https://qyapi.weixin.qq.com/x?key=1")
    failed = {"status": RobotMessage.Status.FAILED, "last_error": "93000: invalid webhook url (HTTP 200)"}
    RobotMessage.objects.create(robot=robot, submission=Submission.objects.first(), kind="alert", **failed)
    submission = Submission.objects.exclude(comment="").exclude(follow_up_status="").latest("id")
    detail = f"responses/{submission.reference}/"
    for path in (*PAGES, f"robots/{robot.pk}/", detail, f"{detail}erase/"):
        page.goto(f"/dashboard/{path}")
        assert not violations(page), path
        assert not small_targets(page), path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    records = f"survey/submission/{submission.pk}/"
    for path in ("", "survey/submission/", f"{records}change/", f"{records}history/", "survey/branch/add/"):
        page.goto(f"/admin/{path}")
        assert not violations(page), path


def test_error_pages_are_accessible_and_link_back(demo, open_page):
    page = open_page("/dashboard/")
    page.context.clear_cookies()
    send_login(page)
    page.wait_for_selector("a.action")
    assert not violations(page)
    page.click("a.action")
    log_in(page)
    page.goto("/dashboard/nothing")
    assert not violations(page)
    assert not small_targets(page)
    Membership.objects.all().delete()
    Group.objects.all().delete()
    page.click("a.action")
    assert not violations(page)
    assert not small_targets(page)
    page.click("main > form button")
    page.wait_for_selector("[name=username]")


@pytest.mark.parametrize("script", [True, False])
def test_a_manager_filters_follows_up_and_exports(demo, open_page, script):
    Submission.objects.exclude(follow_up_status="").update(follow_up_status="open")  # whichever the demo has solved
    page = open_page("/dashboard/", width=375, script=script, locale="en-GB")
    log_in(page, "manager@example.com")
    page.select_option("[name=days]", "365")
    page.get_by_role("button", name="Show").click()
    assert "days=365" in page.url
    page.get_by_role("link", name="Follow-up").click()
    page.goto("/dashboard/follow-up/?days=365&status=all")
    page.locator(".comment a.open").first.click()
    page.fill("[name=text]", "Called back, invited again.")
    page.get_by_role("button", name="Save as solved").click()
    page.wait_for_selector("text=Called back, invited again.")
    assert page.get_by_role("link", name="Back to the list").get_attribute("href").endswith("?days=365&status=all")
    assert not violations(page) if script else True
    assert FollowUpNote.objects.latest("id").status == "solved"
    page.goto("/dashboard/export/?days=365")
    with page.expect_download() as download:
        page.locator(".files a").first.click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert text.count("\n") == ExportLog.objects.latest("id").row_count + 1


@pytest.mark.parametrize("script", [True, False])
def test_after_each_tap_in_the_queue_the_focus_is_on_the_next_card(demo, open_page, script):
    Submission.objects.exclude(follow_up_status="").update(follow_up_status="open", follow_up_owner=None)
    page = open_page("/dashboard/", width=375, script=script, locale="en-GB")
    log_in(page)
    page.goto("/dashboard/follow-up/")
    first, second, third = (page.locator(".comment a.open").nth(number).get_attribute("id") for number in range(3))
    for reference, button, following in ((first, "Take it", second), (second, "Solved", third)):
        page.get_by_role("button", name=f"{button} {reference}").click()
        page.wait_for_selector(f"[id='{following}']:focus")
        assert page.url.endswith(f"#{following}")
    page.keyboard.press("Tab")
    assert page.get_by_role("button", name=f"Take it {third}").evaluate("button => button === document.activeElement")
    page.locator(".comment").first.click(position={"x": 5, "y": 5})  # anywhere on a card
    page.wait_for_selector("h1:has-text('Answer')")


@pytest.mark.parametrize("width", [375, 1280])
def test_head_office_decides_on_a_guests_request(demo, open_page, width):
    submission = Submission.objects.exclude(comment="").first()
    ErasureRequest.objects.create(submission=submission)
    page = open_page("/dashboard/", width=width, locale="en-GB")
    log_in(page)
    page.get_by_role("link", name="Erasures").click()
    for role, name in (("link", "Decide"), ("button", "Erase for good")):
        page.get_by_role(role, name=name).wait_for()
        assert not violations(page)
        assert not small_targets(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role(role, name=name).click()
    page.wait_for_selector("[role=status] >> text=Erased.")
    page.goto("/dashboard/erasures/")
    page.wait_for_selector("text=erased at the guest's request")
    submission.refresh_from_db()
    assert submission.comment == ""


def right_edge(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"]


def test_a_phone_shows_what_matters_without_scrolling_sideways_zoomed_and_in_forced_colours(demo, open_page):
    page = open_page("/dashboard/", width=375, locale="en-GB")
    log_in(page)
    page.goto("/dashboard/?days=90")
    for label in page.locator(".trend text").all():
        assert right_edge(label) <= 375
        assert label.evaluate("text => getComputedStyle(text).fontSize") == "12px"
    point = page.locator(".point").last
    assert point.locator(".value").is_hidden()
    point.focus()
    assert point.locator(".value").is_visible()
    assert point.locator(".value").bounding_box()["x"] >= 0
    branches = page.locator("section", has=page.get_by_role("heading", name="Branches")).locator("thead th")
    assert branches.all_text_contents()[:4] == ["Branch", "CSAT", "Change", "Answers"]
    assert right_edge(branches.nth(2)) <= 375
    for path, name in (("branches/", "Print the card"), ("branches/", "Edit"), ("staff/", "Edit")):
        page.goto(f"/dashboard/{path}")
        for link in page.get_by_role("link", name=name).all():
            assert right_edge(link) <= 359, (path, name)  # the card's edge
    page.set_viewport_size({"width": 320, "height": 568})
    for path in ("?days=90", "?days=365"):
        page.goto(f"/dashboard/{path}")
        values = [value.bounding_box() for value in page.locator(".point .value").all()]
        assert min(box["x"] for box in values) >= 0
        assert max(box["x"] + box["width"] for box in values) <= 320
    page.goto("/dashboard/compare/?days=365&branch=renmin&branch=pudong")
    for table in page.locator(".pair").all():
        assert right_edge(table) <= 304  # the card's edge
    page.set_viewport_size({"width": 320, "height": 256})  # a desk's window at 400 %
    for path in ("?days=365", "compare/?days=365", "compare/?days=365&branch=renmin&branch=pudong", "follow-up/"):
        page.goto(f"/dashboard/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert page.evaluate(SMALLEST_LETTERS) >= 12, path
        for name in page.locator(".scroll:visible tbody tr:first-child th").all():
            assert name.evaluate(MOVED_WHILE_SCROLLING) == 0, path
    # Forced colours drop grounds and show transparent borders.
    page.emulate_media(forced_colors="active")
    page.goto("/dashboard/compare/?days=365")
    border = "(link) => getComputedStyle(link).borderTopColor"
    assert page.locator("nav [aria-current]").evaluate(border) != page.locator("nav a").first.evaluate(border)
    assert page.locator(".badge").first.evaluate("(badge) => getComputedStyle(badge).borderTopWidth") == "1px"
    grounds = "(cells) => new Set(cells.map((cell) => getComputedStyle(cell).backgroundColor)).size"
    assert page.locator(".hours td").evaluate_all(grounds) > 2


def test_the_links_move_nothing_when_they_arrive_after_the_page(demo, open_page):
    for locale, name in product(("en-GB", "zh-CN"), ("head@example.com", "manager@example.com")):
        page = open_page("/dashboard/", width=1280, locale=locale)
        log_in(page, name)
        places = {}
        for end in ("</main>", "</header>", ""):
            page.route("**/today/", response_until(end))
            page.goto("/dashboard/today/")
            assert page.locator("footer.account").count() == (end == "")
            for width in (768, 1024, 1150, 1280, 1440, 1600):
                page.set_viewport_size({"width": width, "height": 800})
                found = page.evaluate(PLACES)
                for place, top in found.items():
                    assert places.setdefault((width, place), top) == top, (locale, name, width, end, place)
            page.unroute("**/today/")


# The vertical places of the title and of the links to the pages, in the window.
PLACES = """() => Object.fromEntries(Array.from(document.querySelectorAll("h1, .top a"),
    (element) => [element.tagName + element.textContent, Math.round(element.getBoundingClientRect().top)]))"""


def response_until(end):
    """Return a handler that responds with the page up to `end`, which a slow network shows for a while; '' is all."""

    def fulfil(route):
        response = route.fetch()
        text = response.text()
        route.fulfill(response=response, body=text[: text.index(end) + len(end)] if end else text)

    return fulfil


def test_the_button_of_the_filters_is_not_alone_in_its_row(demo, open_page):
    page = open_page("/dashboard/", width=1280, locale="en-GB")
    log_in(page)
    for path in ("", "comments/", "follow-up/", "export/"):
        for query in ("?days=90", "?days=dates"):
            page.goto(f"/dashboard/{path}{query}")
            boxes = [filter_box.bounding_box() for filter_box in page.locator(".filter").all()]
            before, button = (box["y"] + box["height"] for box in boxes[-2:])
            assert before == pytest.approx(button, abs=1), path + query


def test_the_keyboard_alone_is_enough(demo, open_page):
    page = open_page("/dashboard/", width=1280, locale="en-GB")
    page.wait_for_selector("[name=username]:focus")  # autofocus
    page.keyboard.type("head@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("demo")
    page.keyboard.press("Enter")
    page.wait_for_selector("nav")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the pages"
    page.keyboard.press("Enter")
    for _link in ("Today", "Overview", "Compare", "Comments"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/comments/")


@pytest.mark.parametrize("path", ["today/", "?days=90"])
def test_on_a_phone_the_figures_come_before_the_links_and_the_filters(demo, open_page, path):
    page = open_page("/dashboard/", width=375, locale="zh-CN")
    log_in(page)
    page.goto(f"/dashboard/{path}")
    figure = page.locator(".figures .big").first
    assert figure.bounding_box()["y"] < 250
    order = "() => [...document.querySelectorAll('.figures, .filters, nav')].map((element) => element.className)"
    assert page.evaluate(order)[0] == "figures"
    assert page.evaluate(order)[-1] == ""
    # The links stay in reach at the bottom, and never hide what has the focus.
    nav = page.locator("nav").bounding_box()
    assert nav["y"] + nav["height"] <= 812
    for link in page.locator("main a:visible").all():
        link.focus()
        box = link.bounding_box()
        assert box["y"] + box["height"] <= page.locator("header.top").bounding_box()["y"]


def test_a_card_fills_a_page_of_a6_and_all_of_them_one_each(demo, open_page):
    Branch.objects.filter(code="baoshan").update(name="很长的门店名称" * 9, name_en="A very long name indeed " * 2)
    page = open_page("/dashboard/", width=1280, locale="zh-CN")
    log_in(page)
    for path, cards in (("branches/renmin/card/", 1), ("cards/", 12)):
        page.goto(f"/dashboard/{path}")
        pdf = page.pdf(prefer_css_page_size=True, print_background=True)
        sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
        assert [(round(float(width)), round(float(height))) for width, height in sizes] == [(298, 420)] * cards
        page.emulate_media(media="print")
        for box in page.evaluate(CARD_IN_MILLIMETRES):
            assert box["card"] == [105, 148]
            assert box["code"] > 30
            assert box["address"] < 148 - 5
        page.emulate_media(media="null")
