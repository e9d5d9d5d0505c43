"""The brand in a real browser: axe finds nothing in any colour, and a card keeps its size with a logo."""

from __future__ import annotations

import base64

import pytest

from survey import chain
from survey.chain import Chain, KeptBrand
from survey.models import Branch, Submission
from tests.browser.accessibility import violations
from tests.browser.test_staff import CARD_IN_MILLIMETRES, log_in

pytestmark = pytest.mark.slow

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 90"><path d="M0 0h400v90z" fill="#0a7d3f"/></svg>'
LOGO = "data:image/svg+xml;base64," + base64.b64encode(SVG).decode()


@pytest.fixture
def branch(transactional_db):
    return Branch.objects.create(code="sh01", name="人民广场店", name_en="People's Square")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("color", ["#ffd700", "#0a7d3f", "#001040", "#ff66cc", "#808080"])
def test_the_survey_and_its_errors_are_readable_in_any_colour(open_page, branch, settings, color, dark):
    settings.MINIMUM_FILL_SECONDS = 0
    chain.keep(Chain(brand=KeptBrand("小满自助", "Xiaoman", color, LOGO)))
    page = open_page("/s/sh01?lang=zh", width=320, dark=dark)
    assert page.evaluate("document.querySelector('.chain img').naturalWidth") > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.check("#id_satisfaction_0")
    page.check("#id_problems_0")
    assert not violations(page)
    page.check("#id_anonymous_1")
    page.click("button.send")
    page.wait_for_selector("#survey .error")
    assert not violations(page)
    submission = Submission.objects.create(satisfaction=5, branch=branch, language="zh-hans")
    page.goto(f"/thanks/{submission.reference}?lang=zh")
    assert not violations(page)


def test_a_survey_page_makes_four_requests(open_page, branch):
    chain.keep(Chain(brand=KeptBrand("小满自助", "Xiaoman", "#0a7d3f", LOGO)))
    page = open_page("/privacy")
    requests = []
    page.on("request", lambda request: request.url.startswith("data:") or requests.append(request.url))
    page.goto("/s/sh01")
    page.wait_for_load_state("networkidle")
    assert len(requests) == 4, requests


def test_head_office_previews_and_saves_and_the_cards_keep_their_size(open_page, branch, django_user_model, tmp_path):
    django_user_model.objects.create_superuser("head@example.com", "head@example.com", "demo")
    (tmp_path / "logo.svg").write_bytes(SVG)
    page = open_page("/dashboard/", width=1280, locale="en-GB")
    log_in(page)
    page.goto("/dashboard/brand/")
    page.fill("[name=name]", "小满自助")
    page.fill("[name=color]", "#ffd700")
    page.set_input_files("[name=file]", tmp_path / "logo.svg")
    page.get_by_role("button", name="Preview").click()
    page.wait_for_selector("text=Preview, not saved yet")
    assert not violations(page)
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("[role=status] >> text=Saved.")
    page.goto("/dashboard/")
    assert page.evaluate("document.querySelector('.brand img').naturalWidth") > 0
    assert not violations(page)
    page.goto("/admin/")
    assert not violations(page)
    page.emulate_media(forced_colors="active", color_scheme="dark")
    for path, logo in (("/admin/", "#site-name img"), ("/dashboard/", ".brand img"), ("/s/sh01", ".chain img")):
        page.goto(path)
        ground = "(logo) => getComputedStyle(logo).backgroundColor"
        assert page.locator(logo).evaluate(ground) == "rgb(255, 255, 255)", path  # dark letters on black otherwise
    page.emulate_media(forced_colors="none", color_scheme="light")
    page.goto("/dashboard/branches/sh01/card/")
    page.emulate_media(media="print")
    (card,) = page.evaluate(CARD_IN_MILLIMETRES)
    assert card["card"] == [105, 148]
    assert card["address"] <= 148
    assert card["code"] >= 50
