"""On every page for guests, in every state, axe-core reports nothing and every target is large enough for a thumb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from survey.models import Branch, Submission
from tests.browser.accessibility import small_targets, violations
from tests.browser.conftest import WIDTHS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def empty(page: Any) -> None:
    page.goto("/s/sh01" + page.query)


def unfolded(page: Any) -> None:
    empty(page)
    page.check("#id_satisfaction_0")
    page.check("#id_problems_1")
    page.click("summary")
    page.check("#id_taste_3")
    page.check("#id_anonymous_1")


def with_errors(page: Any) -> None:
    unfolded(page)
    page.fill("#id_phone", "12")
    page.fill("#id_email", "nobody")
    page.click("button.send")
    page.wait_for_selector("#survey .error")


def with_nothing_chosen(page: Any) -> None:
    empty(page)
    page.click("button.send")
    page.wait_for_selector("#survey .error")


def without_script(page: Any) -> None:
    """Block scripts from here on, so that the server renders the errors; axe still runs."""
    page.route("**/*.js", lambda route: route.abort())


def with_errors_from_the_server(page: Any) -> None:
    without_script(page)
    with_errors(page)


def with_nothing_chosen_from_the_server(page: Any) -> None:
    without_script(page)
    with_nothing_chosen(page)


def offline(page: Any) -> None:
    empty(page)
    page.check("#id_satisfaction_4")
    page.context.set_offline(True)
    page.click("button.send")
    page.wait_for_function("document.getElementById('sending').textContent")


def restored(page: Any) -> None:
    empty(page)
    page.fill("#id_comment", "soup")
    page.reload()
    page.wait_for_selector("#kept button")


def thanks(page: Any) -> None:
    page.goto("/thanks/GGGGGGGG" + page.query)


def thanks_for_a_low_score(page: Any) -> None:
    page.goto("/thanks/BBBBBBBB" + page.query)


def thanks_of_ones_own(page: Any) -> None:
    empty(page)
    page.check("#id_satisfaction_0")
    page.click("button.send")
    page.wait_for_selector("[name=token]", state="attached")  # which the page of the form does not have


def erase_confirm(page: Any) -> None:
    thanks_of_ones_own(page)
    page.click("main button")
    page.wait_for_selector("button.send")


def erase_with_a_wrong_token(page: Any) -> None:
    thanks_of_ones_own(page)
    page.evaluate("document.querySelector('[name=token]').value = 'wrong'")
    page.click("main button")
    page.wait_for_selector(".problem")


def privacy(page: Any) -> None:
    page.goto("/privacy" + page.query)


def erase(page: Any) -> None:
    page.goto("/erase" + page.query)


def erase_without_reference(page: Any) -> None:
    erase(page)
    page.click("button.send")
    page.wait_for_selector(".error")


def erase_requested(page: Any) -> None:
    erase(page)
    page.fill("#id_reference", "GGGGGGGG")
    page.click("button.send")
    page.wait_for_selector("a.action")


def erased(page: Any) -> None:
    erase_confirm(page)
    page.click("button.send")
    page.wait_for_selector("a.action")


def closed_branch(page: Any) -> None:
    page.goto("/s/old" + page.query)


def unknown_branch(page: Any) -> None:
    page.goto("/s/nowhere" + page.query)


def not_found(page: Any) -> None:
    page.goto("/nothing/here" + page.query)


STATES = (
    empty,
    unfolded,
    with_errors,
    with_nothing_chosen,
    with_errors_from_the_server,
    with_nothing_chosen_from_the_server,
    offline,
    restored,
    thanks,
    thanks_for_a_low_score,
    thanks_of_ones_own,
    erase_confirm,
    erase_with_a_wrong_token,
    privacy,
    erase,
    erase_without_reference,
    erase_requested,
    erased,
    closed_branch,
    unknown_branch,
    not_found,
)


@pytest.fixture(autouse=True)
def chain(settings: Any) -> None:
    settings.MINIMUM_FILL_SECONDS = 0
    branch = Branch.objects.create(code="sh01", name="人民广场店", name_en="People's Square")
    Branch.objects.create(code="old", name="老店", is_open=False)
    Submission.objects.create(reference="GGGGGGGG", satisfaction=5, branch=branch, language="en", email="a@example.com")
    Submission.objects.create(reference="BBBBBBBB", satisfaction=1, branch=branch, language="en", phone="12345")


# Width and colour scheme. Colours do not depend on the width, so dark is tested on a phone alone.
MODES = ((375, "light"), (375, "dark"), (1280, "light"))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_no_violation_and_no_small_target(
    open_page: Callable[..., Any], state: Callable[[Any], None], language: str
) -> None:
    page = open_page("about:blank", reduced_motion="reduce")
    page.query = f"?lang={language}"
    state(page)
    for width, scheme in MODES:
        page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        page.emulate_media(color_scheme=scheme)
        assert [*violations(page), *small_targets(page)] == [], (width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} px scroll sideways"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(ids) == len(set(ids))


def test_reduced_motion_switches_transitions_off(open_page: Callable[..., Any]) -> None:
    page = open_page("/", reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.querySelector('.choices label')).transitionDuration") == "0s"


def test_the_checks_notice_violations_and_small_targets(open_page: Callable[..., Any]) -> None:
    page = open_page("/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<input id=x><button id=y></button>')")
    page.evaluate("document.getElementById('y').setAttribute('class', 'language')")
    page.evaluate("Object.assign(document.getElementById('y').style, {padding: 0, width: '9px', height: '9px'})")
    assert {"label", "button-name"} <= {line.partition(":")[0] for line in violations(page)}
    assert any('id="y"' in target for target in small_targets(page))
