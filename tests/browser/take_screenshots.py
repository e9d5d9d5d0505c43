"""`make screenshots` writes pictures of the pages for guests and staff to docs/screenshots.

The name of the module keeps pytest from collecting it.
"""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import call_command

from survey.guest import erase_token
from survey.models import Branch, Submission

FOLDER = Path(project.BASE_DIR) / "docs" / "screenshots"


def shoot(page: Any, name: str, longest: int = 2_000) -> None:
    """Write a picture of the page's first `longest` CSS pixels: longer pictures make the repository large."""
    width, height = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    # Not a larger picture of the small window: the links at its bottom would stand in the middle.
    page.set_viewport_size({"width": width, "height": min(height, longest)})
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


@pytest.mark.django_db(transaction=True)
def test_guest(open_page: Callable[..., Any], settings: Any) -> None:
    """Show the survey, empty, filled in and with errors, the thanks, the privacy notice and the erasure."""
    settings.MINIMUM_FILL_SECONDS = 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    branch = Branch.objects.create(code="sh01", name="人民广场店", name_en="People's Square")
    digest = erase_token.digest("token")
    Submission.objects.create(
        reference="7KQ2MXRA", satisfaction=5, branch=branch, language="zh-hans", erase_token_digest=digest
    )
    Submission.objects.create(
        reference="3NP8WDHT",
        satisfaction=1,
        branch=branch,
        language="zh-hans",
        phone="13800138000",
        erase_token_digest=digest,
    )

    for width, device in ((375, "phone"), (1280, "desk")):
        for language in ("zh", "en"):
            shoot(open_page(f"/s/sh01?lang={language}", width=width), f"survey-{language}-{device}")
    page = open_page("/s/sh01?lang=zh")
    page.check("#id_satisfaction_1")
    page.check("#id_problems_2")
    page.fill("#id_comment", "面是凉的，等了二十分钟。")
    page.check("#id_recommend_3")
    page.click("summary")
    page.check("#id_taste_2")
    page.check("#id_service_3")
    page.check("#id_anonymous_1")
    page.fill("#id_name", "王芳")
    page.fill("#id_phone", "138")
    shoot(page, "survey-low-score")
    page.click("button.send")
    page.wait_for_selector("#survey .error")
    shoot(page, "survey-error")
    shoot(open_page("/s/sh01?lang=zh", dark=True), "survey-dark")
    for reference, name in (("7KQ2MXRA", "thanks"), ("3NP8WDHT", "thanks-low-score")):
        page = open_page(f"/thanks/{reference}?lang=zh")
        page.context.add_cookies([{"name": erase_token.COOKIE, "value": "token", "url": page.url}])
        page.reload()
        shoot(page, name)
    shoot(open_page("/privacy?lang=zh"), "privacy")
    shoot(open_page("/erase?lang=zh&reference=7KQ2MXRA"), "erase")


@pytest.mark.django_db(transaction=True)
def test_staff(open_page: Callable[..., Any], settings: Any) -> None:
    """Show the demo as head office sees it."""
    settings.DEBUG = True
    call_command("seed_demo", stdout=StringIO())
    settings.DEBUG = False
    for width, device in ((1280, "desk"), (375, "phone")):
        page = open_page("/dashboard/", width=width, locale="zh-CN")
        page.fill("[name=username]", "head@example.com")
        page.fill("[name=password]", "demo")
        page.press("[name=password]", "Enter")
        page.wait_for_selector("nav")
        for path, name, longest in (("?days=90", "dashboard", 1_600), ("follow-up/?days=90", "follow-up", 1_000)):
            page.goto(f"/dashboard/{path}")
            shoot(page, f"{name}-zh-{device}", longest)
