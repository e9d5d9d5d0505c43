"""A guest fills in the survey in a real browser: phone and desk, both languages, with JavaScript and without."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from survey.guest.consent import CONSENT_VERSION, CONSENT_VERSIONS
from survey.models import Branch, Submission
from survey.scales import Problem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Open = Callable[..., Any]


@pytest.fixture(params=["chromium", "chromium_86"])
def browser(request: pytest.FixtureRequest) -> Any:
    """The current browser, and the oldest supported one."""
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def fast_fingers(settings: Any) -> None:
    """Switch the minimum fill time off, which tests undercut."""
    settings.MINIMUM_FILL_SECONDS = 0


@pytest.fixture
def branch() -> Branch:
    return Branch.objects.create(code="sh01", name="人民广场店", name_en="People's Square")


def send(page: Any) -> None:
    page.click("button.send")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [375, 1280])
def test_one_tap_and_send_make_a_submission(
    open_page: Open, branch: Branch, width: int, language: str, script: bool
) -> None:
    page = open_page(f"/s/sh01?lang={language}", width=width, script=script)
    assert page.text_content(".branch") == {"zh": "人民广场店", "en": "People's Square"}[language]
    page.check("#id_satisfaction_4")
    send(page)
    page.wait_for_url(re.compile(rf"/thanks/\w+\?lang={language}$"))
    submission = Submission.objects.get()
    assert page.text_content(".reference") == submission.reference
    assert (submission.satisfaction, submission.branch, submission.name, submission.consent_version) == (
        5,
        branch,
        "",
        CONSENT_VERSION,
    )
    assert submission.language == {"zh": "zh-hans", "en": "en"}[language]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_low_score_asks_what_went_wrong_and_is_thanked_differently(
    open_page: Open, browser: Any, script: bool
) -> None:
    page = open_page("/?lang=en", script=script)
    # Chromium 86 has no :has(): without a script the question is always there.
    can_hide = script or not browser.version.startswith("86.")
    assert page.is_visible(".low") != can_hide
    page.check("#id_satisfaction_3")
    assert page.is_visible(".low") != can_hide
    page.check("#id_satisfaction_0")
    assert page.is_visible(".low")
    page.check("#id_problems_2")  # the food was cold
    page.check("#id_problems_5")  # a long wait
    page.fill("#id_comment", "The noodles were cold.")
    send(page)
    page.wait_for_selector(".reference")
    assert "sorry" in page.text_content("main")
    submission = Submission.objects.get()
    assert submission.problem_list == [Problem.COLD, Problem.WAITING]
    assert submission.comment == "The noodles were cold."


def test_the_survey_can_be_filled_in_with_the_keyboard_alone(open_page: Open) -> None:
    page = open_page("/?lang=en")

    def tab_to(selector: str) -> None:
        for _step in range(60):
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"Tab does not reach {selector}")

    tab_to("[name=satisfaction]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    tab_to("#id_problems_3")
    page.keyboard.press("Space")
    tab_to("#id_comment")
    page.keyboard.type("dirty table")
    tab_to("[name=recommend]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    tab_to("summary")
    page.keyboard.press("Enter")
    tab_to("[name=taste]")
    page.keyboard.press("Space")
    tab_to("[name=anonymous]")
    page.keyboard.press("ArrowDown")
    tab_to("#id_name")
    page.keyboard.type("Tom")
    tab_to("#id_phone")
    page.keyboard.type("1234567890")
    tab_to("button.send")
    page.keyboard.press("Enter")
    page.wait_for_selector(".reference")
    submission = Submission.objects.get()
    assert (submission.satisfaction, submission.problem_list, submission.comment) == (2, [Problem.DIRTY], "dirty table")
    assert (submission.recommend, submission.taste, submission.name, submission.phone) == (1, 1, "Tom", "1234567890")


def test_a_second_tap_takes_an_optional_choice_back(open_page: Open) -> None:
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_4")
    page.click("#id_satisfaction_4")
    assert page.is_checked("#id_satisfaction_4")  # which is not optional
    page.click("summary")
    for name in ("recommend_9", "taste_0"):
        page.click(f"#id_{name}")
        assert page.is_checked(f"#id_{name}")
    page.click("#id_recommend_9")
    page.focus("#id_taste_0")
    page.keyboard.press("Space")
    assert not page.is_checked("#id_recommend_9")
    assert not page.is_checked("#id_taste_0")
    page.click("#id_recommend_3")
    send(page)
    page.wait_for_selector(".reference")
    submission = Submission.objects.get()
    assert (submission.satisfaction, submission.recommend, submission.taste) == (5, 3, None)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(
    open_page: Open, branch: Branch, language: str, script: bool
) -> None:
    page = open_page(f"/s/sh01?lang={language}", script=script)
    page.check("#id_satisfaction_1")
    page.check("#id_problems_0")
    page.fill("#id_comment", "味道太咸")
    page.check("#id_recommend_3")
    page.click("summary")
    page.check("#id_hygiene_4")
    page.check("#id_anonymous_1")
    page.fill("#id_name", "王芳")
    page.fill("#id_phone", "12")
    page.fill("#id_email", "wang@example.com")
    send(page)
    page.wait_for_selector("#survey .error")
    error = page.locator("#id_phone_error")
    assert {"zh": "请填写 5 到 20 位数字", "en": "Give a phone number"}[language] in error.text_content()
    assert page.get_attribute("#id_phone", "aria-invalid") == "true"
    assert "id_phone_error" in page.get_attribute("#id_phone", "aria-describedby").split()
    if script:
        assert page.evaluate("document.activeElement.id") == "id_phone"
    assert page.text_content(".branch") == {"zh": branch.name, "en": branch.name_en}[language]
    page.fill("#id_phone", "13800138000")
    send(page)
    page.wait_for_selector(".reference")
    submission = Submission.objects.get()
    assert (submission.satisfaction, submission.problem_list, submission.comment) == (2, [Problem.TASTE], "味道太咸")
    assert (submission.recommend, submission.hygiene, submission.branch) == (3, 5, branch)
    assert (submission.name, submission.phone, submission.email) == ("王芳", "13800138000", "wang@example.com")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_language_can_be_switched_in_a_half_typed_form(open_page: Open, branch: Branch, script: bool) -> None:
    page = open_page("/s/sh01", script=script)
    page.check("#id_satisfaction_1")
    page.check("#id_problems_2")
    page.fill("#id_comment", "汤是凉的")
    page.check("#id_recommend_3")
    page.click("summary")
    page.check("#id_hygiene_4")
    page.check("#id_anonymous_1")
    page.fill("#id_name", "王芳")
    page.fill("#id_phone", "13800138000")
    for language in ("en", "zh"):
        page.click("button.language")
        page.wait_for_url(re.compile(rf"/s/sh01\?lang={language}$"))
        assert page.get_attribute("html", "lang").startswith(language)
        assert page.text_content(".branch") == {"zh": branch.name, "en": branch.name_en}[language]
        assert page.query_selector(".error") is None  # nothing was sent yet
        assert page.input_value("#id_comment") == "汤是凉的"
    assert not Submission.objects.exists()
    send(page)
    page.wait_for_url(re.compile(r"/thanks/\w+\?lang=zh$"))
    submission = Submission.objects.get()
    assert (submission.satisfaction, submission.problem_list, submission.comment) == (2, [Problem.COLD], "汤是凉的")
    assert (submission.recommend, submission.hygiene, submission.branch) == (3, 5, branch)
    assert (submission.name, submission.phone) == ("王芳", "13800138000")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_enter_in_a_field_sends_rather_than_switch_the_language(open_page: Open, script: bool) -> None:
    page = open_page("/?lang=en", script=script)
    page.check("#id_satisfaction_4")
    page.check("#id_anonymous_1")
    page.fill("#id_name", "Tom")
    page.fill("#id_phone", "1234567890")
    page.focus("#id_phone")
    page.keyboard.press("Enter")
    page.wait_for_selector(".reference")
    assert page.url.endswith("lang=en")
    assert Submission.objects.get().name == "Tom"


def test_the_language_cannot_be_switched_while_a_submission_is_sent(open_page: Open) -> None:
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_4")
    page.context.set_offline(True)
    send(page)
    page.wait_for_selector("#sending >> text=No connection")
    assert page.is_disabled("button.language")
    page.goto(
        "about:blank"
    )  # ends the attempts: a closing context is online first, and the next test has the same server


def test_the_language_of_an_error_page_can_be_switched_without_loss(open_page: Open) -> None:
    page = open_page("/?lang=zh", script=False)
    page.fill("#id_comment", "味道好")
    send(page)
    page.wait_for_selector("#survey .error")
    page.click("button.language")
    page.wait_for_url(re.compile("lang=en"))
    assert "Please choose one of the five." in page.text_content("main")
    assert page.input_value("#id_comment") == "味道好"
    assert not Submission.objects.exists()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_back_from_the_privacy_notice_shows_what_was_typed(open_page: Open, script: bool) -> None:
    page = open_page("/?lang=zh", script=script)
    page.fill("#id_comment", "the soup")
    page.click("button.language")
    page.wait_for_url(re.compile("lang=en"))
    page.check("#id_satisfaction_1")
    page.fill("#id_comment", "the soup was cold")
    page.click(".consent a")
    page.wait_for_url(re.compile("/privacy"))
    page.go_back()
    assert page.input_value("#id_comment") == "the soup was cold"
    assert page.is_checked("#id_satisfaction_1")
    send(page)
    page.wait_for_selector(".reference")
    assert Submission.objects.get().comment == "the soup was cold"


def test_back_shows_a_page_with_errors_again_without_javascript(open_page: Open) -> None:
    page = open_page("/?lang=en", script=False)
    page.fill("#id_comment", "the soup")
    send(page)
    page.wait_for_selector("#survey .error")
    page.click(".consent a")
    page.wait_for_url(re.compile("/privacy"))
    page.go_back()
    page.wait_for_selector("#survey .error")
    assert page.input_value("#id_comment") == "the soup"


def test_back_from_the_thanks_shows_the_next_guest_nothing_of_the_last(open_page: Open) -> None:
    page = open_page("/?lang=zh")
    page.check("#id_satisfaction_4")
    page.fill("#id_comment", "mine")
    page.click("button.language")
    page.wait_for_url(re.compile("lang=en"))
    send(page)
    page.wait_for_selector(".reference")
    page.go_back()
    page.wait_for_selector("#survey:not([data-returned])")
    assert page.input_value("#id_comment") == ""
    assert not page.is_checked("#id_satisfaction_4")


def test_the_url_keeps_the_language(open_page: Open, branch: Branch) -> None:
    page = open_page("/s/sh01")
    assert page.get_attribute("html", "lang") == "zh-hans"
    page.click("button.language")
    page.wait_for_url(re.compile(r"/s/sh01\?lang=en$"))
    page.click("footer >> text=Privacy notice")
    page.wait_for_url(re.compile(r"/privacy\?branch=sh01&lang=en$"))
    assert "365 days" in page.text_content("main")
    page.click("a.language")
    page.wait_for_url(re.compile(r"/privacy\?branch=sh01&lang=zh$"))


# For every visible label its text, how far the text overflows the label's border in CSS pixels, and its width.
OVERFLOW = """() => [...document.querySelectorAll("#survey label")].map((label) => {
    const text = document.createRange();
    text.selectNodeContents(label);
    const [inner, box] = [text.getBoundingClientRect(), label.getBoundingClientRect()];
    const border = parseFloat(getComputedStyle(label).borderLeftWidth);
    const outside = Math.max(box.left + border - inner.left, inner.right - box.right + border);
    return [label.textContent, outside, box.width];
}).filter(([, , width]) => width)"""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [320, 360, 375])
def test_every_label_stays_in_its_box_and_as_wide_when_it_is_chosen(open_page: Open, width: int, language: str) -> None:
    page = open_page(f"/?lang={language}", width=width)
    page.click("summary")
    page.check("#id_anonymous_1")
    page.check("#id_satisfaction_0")
    first = page.evaluate(OVERFLOW)
    assert len(first) > 50
    for choices in ("satisfaction_1", "recommend_10", "problems_3"), ("recommend_0", "problems_5"):
        for name in choices:
            page.check(f"#id_{name}")
        assert [label for label in page.evaluate(OVERFLOW) if label[1] > 0] == []
        assert [width for *_label, width in page.evaluate(OVERFLOW)] == [width for *_label, width in first]
    for score in range(5):
        page.check(f"#id_satisfaction_{score}")
        assert [label for label in page.evaluate(OVERFLOW) if label[1] > 0] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_contact_details_are_asked_only_of_those_who_want_to_be_called(open_page: Open, script: bool) -> None:
    page = open_page("/", script=script)
    assert not page.is_visible("#id_phone")
    page.check("#id_anonymous_1")
    assert page.is_visible("#id_phone")
    for name in ("name", "phone", "email"):
        assert page.is_visible(f"#id_{name}_helptext")  # the purpose
    page.fill("#id_phone", "not a number")
    page.check("#id_anonymous_0")
    page.check("#id_satisfaction_2")
    send(page)
    page.wait_for_selector(".reference")
    assert Submission.objects.get().phone == ""


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_guest_erases_what_he_sent_from_the_thanks(open_page: Open, script: bool) -> None:
    page = open_page("/?lang=en", script=script)
    page.check("#id_satisfaction_0")
    page.fill("#id_comment", "secret")
    send(page)
    page.wait_for_selector(".reference")
    page.reload()
    page.click("a.language")
    page.wait_for_selector("html[lang=zh-hans] .reference")
    page.click("main button")
    page.wait_for_selector("button.send")
    assert Submission.objects.get().comment == "secret"
    page.click("button.language")
    page.wait_for_selector("h1 >> text=Erase my answer")
    send(page)
    page.wait_for_selector("h1 >> text=Erased")
    submission = Submission.objects.get()
    assert (submission.comment, submission.satisfaction) == ("", 1)


def test_another_browser_offers_a_request_instead_of_the_button(open_page: Open) -> None:
    submission = Submission.objects.create(satisfaction=1, comment="secret", phone="13800138000", language="en")
    page = open_page(f"/thanks/{submission.reference}?lang=en")
    assert page.query_selector("main button") is None
    page.click("footer >> text=Erase")
    assert page.input_value("#id_reference") == submission.reference
    page.fill("#id_phone", "+86 138 0013 8000")
    send(page)
    page.wait_for_selector("h1 >> text=Request sent")
    assert submission.erasure_requests.count() == 1


def test_a_closed_or_unknown_branch_has_a_page_of_its_own(open_page: Open, branch: Branch) -> None:
    branch.is_open = False
    branch.save()
    page = open_page("/s/sh01?lang=en")
    assert "People's Square no longer takes answers" in page.text_content("main")
    page = open_page("/s/nowhere?lang=en")
    page.click("a.action")
    page.wait_for_selector("#survey")


@pytest.mark.parametrize("path", ["/", "/?lang=en", "/s/sh01"])
def test_the_first_load_takes_four_requests(open_page: Open, branch: Branch, path: str) -> None:
    page = open_page("about:blank")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path, wait_until="networkidle")
    assert len(requests) == 4, requests


def test_a_typed_script_is_shown_as_text(open_page: Open) -> None:
    evil = "<script>document.title='x'</script><img src=x onerror=document.title='x'>"
    page = open_page("/?lang=en")
    page.fill("#id_comment", evil)
    send(page)
    page.wait_for_selector("#survey .error")
    assert page.input_value("#id_comment") == evil
    assert page.title() != "x"


def test_a_submission_without_network_is_sent_when_the_network_is_back(open_page: Open) -> None:
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_0")
    page.fill("#id_comment", "typed in the cellar")
    page.context.set_offline(True)
    send(page)
    page.wait_for_selector("#sending >> text=No connection")
    assert not Submission.objects.exists()
    page.context.set_offline(False)
    page.wait_for_selector(".reference")
    assert Submission.objects.get().comment == "typed in the cellar"


def test_an_unsent_submission_waits_on_the_device_for_the_page_to_be_opened_again(open_page: Open) -> None:
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_4")
    page.route("**/submitSurvey*", lambda route: route.abort())
    send(page)
    page.wait_for_selector("#sending >> text=No connection")
    page.goto("about:blank")  # the page itself would try again
    page.unroute("**/submitSurvey*")
    page.goto("/?lang=en", wait_until="commit")  # it may go on to the thanks before it has loaded
    page.wait_for_selector(".reference")
    assert Submission.objects.get().satisfaction == 5


def test_a_waiting_submission_says_so_beside_the_button_and_can_be_sent_at_once(open_page: Open) -> None:
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_4")
    page.route("**/submitSurvey*", lambda route: route.fulfill(status=503, headers={"Retry-After": "600"}))
    send(page)
    page.wait_for_selector("#sending >> text=cannot be stored just now")  # the network is there
    assert page.text_content("button.send") == "Not sent yet"
    apart = "document.querySelector('button.send').getBoundingClientRect().top"
    apart += " - document.getElementById('sending').getBoundingClientRect().bottom"
    assert 0 <= page.evaluate(apart) < 40
    page.unroute("**/submitSurvey*")
    page.click("#sending button")
    page.wait_for_selector(".reference")
    assert Submission.objects.count() == 1


def test_a_waiting_submission_is_sent_from_any_page_of_the_survey(open_page: Open, branch: Branch) -> None:
    page = open_page("/s/sh01?lang=en")
    page.check("#id_satisfaction_1")
    page.fill("#id_comment", "typed in the cellar")
    page.route("**/submitSurvey*", lambda route: route.abort())
    send(page)
    page.wait_for_selector("#sending >> text=No connection")
    page.unroute("**/submitSurvey*")
    with page.expect_response("**/submitSurvey*") as sent:
        page.goto("/privacy?lang=en")
    assert sent.value.status == 201
    assert Submission.objects.get().branch == branch
    page.goto("/s/sh01?lang=en")
    assert page.input_value("#id_comment") == ""


def test_the_next_guest_at_a_tablet_sees_nothing_of_the_last(open_page: Open) -> None:
    page = open_page("/?lang=en")
    page.check("#id_anonymous_1")
    page.fill("#id_name", "Tom")
    later = page.context.new_page()
    later.goto("/?lang=en")
    later.wait_for_function("document.getElementById('kept').textContent.includes('typed on this device before')")
    assert later.input_value("#id_name") == ""
    later.click("#kept button >> nth=1", force=True)  # delete it
    later.reload()
    assert later.text_content("#kept") == ""
    page.fill("#id_name", "Tom again")
    third = page.context.new_page()
    third.goto("/?lang=en")
    third.click("#kept button >> nth=0", force=True)  # it is mine
    assert third.input_value("#id_name") == "Tom again"


def test_an_unsent_submission_of_the_release_before_is_sent(open_page: Open) -> None:
    page = open_page("/privacy?lang=en")
    page.evaluate(
        """() => localStorage.setItem("draft:survey", JSON.stringify({
            key: "0b0b8a1e-6a0e-4f55-9a53-6f2f1f5d2a11", values: [["satisfaction", "4"]], pending: true,
            sent: [
                ["satisfaction", "4"], ["anonymous", "yes"], ["submission_id", "0b0b8a1e-6a0e-4f55-9a53-6f2f1f5d2a11"],
            ],
            savedAt: Date.now(),
        }))"""
    )
    with page.expect_response("**/submitSurvey*") as sent:
        page.goto("/?lang=en")
    assert sent.value.status == 201
    assert Submission.objects.get().satisfaction == 4


def test_the_branch_travels_with_every_link(open_page: Open, branch: Branch) -> None:
    page = open_page("/s/sh01?lang=en")
    page.click("footer >> text=Privacy notice")
    page.wait_for_url(re.compile(r"/privacy\?branch=sh01&lang=en$"))
    page.click("footer >> text=Erase")
    page.wait_for_url(re.compile(r"/erase\?branch=sh01&lang=en$"))
    page.go_back()
    page.click("a.action")
    page.wait_for_url(re.compile(r"/s/sh01\?lang=en$"))


def test_nothing_sent_marks_the_question_and_no_answer(open_page: Open) -> None:
    page = open_page("/?lang=en")
    send(page)
    page.wait_for_selector("#survey .error")
    colors = (
        "[...document.querySelectorAll('.satisfaction .choice > label')].map((l) => getComputedStyle(l).borderColor)"
    )
    assert len(set(page.evaluate(colors))) == 1
    assert page.evaluate("getComputedStyle(document.querySelector('.satisfaction')).boxShadow") != "none"


SMALL = """() => [...document.querySelectorAll("#survey label, a, button")].filter((target) => {
    const box = target.getBoundingClientRect();
    return box.width > 0 && getComputedStyle(target).display !== "inline" && (box.width < 24 || box.height < 24);
}).map((target) => target.outerHTML)"""


def test_targets_are_at_least_24_pixels_at_320(open_page: Open) -> None:
    page = open_page("/?lang=en", width=320)
    page.click("summary")
    page.check("#id_satisfaction_0")
    assert page.evaluate(SMALL) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_large_text_stays_in_its_box(open_page: Open, language: str) -> None:
    page = open_page(f"/?lang={language}", width=375)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.click("summary")
    page.check("#id_satisfaction_0")
    assert [label for label in page.evaluate(OVERFLOW) if label[1] > 0.5] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_unsent_submission_keeps_the_consent_version_that_its_page_showed(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = CONSENT_VERSIONS[1]
    with monkeypatch.context() as before:  # as the process of the deployment before
        before.setattr("survey.guest.forms.CONSENT_VERSION", earlier)
        before.setattr("survey.guest.blank_page.LONGEST_PREFIX", -1)  # so that none is kept for this process
        page = open_page("/?lang=en")
    assert f"(version {earlier})" in page.text_content(".consent")
    page.check("#id_satisfaction_4")
    page.route("**/submitSurvey*", lambda route: route.abort())
    send(page)
    page.wait_for_selector("#sending >> text=No connection")
    page.goto("/?lang=en")
    page.wait_for_selector("#sending >> text=No connection")
    assert f"(version {CONSENT_VERSION})" in page.text_content(".consent")
    page.unroute("**/submitSurvey*")
    page.goto("/?lang=en")
    page.wait_for_selector(".reference")
    assert Submission.objects.get().consent_version == earlier


def test_a_draft_is_sent_with_the_consent_version_that_the_guest_sees(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr("survey.guest.forms.CONSENT_VERSION", CONSENT_VERSIONS[1])
        before.setattr("survey.guest.blank_page.LONGEST_PREFIX", -1)
        page = open_page("/?lang=en")
    page.check("#id_satisfaction_4")
    page.reload()
    page.wait_for_selector("#kept >> text=typed before")
    assert f"(version {CONSENT_VERSION})" in page.text_content(".consent")
    send(page)
    page.wait_for_selector(".reference")
    assert Submission.objects.get().consent_version == CONSENT_VERSION


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_two_taps_are_one_submission(open_page: Open, script: bool) -> None:
    page = open_page("/", script=script)
    page.check("#id_satisfaction_4")
    page.dblclick("button.send")
    page.wait_for_selector(".reference")
    assert Submission.objects.count() == 1


def test_what_was_typed_is_there_after_a_reload_and_can_be_thrown_away(open_page: Open) -> None:
    page = open_page("/?lang=en")
    page.check("#id_satisfaction_1")
    page.fill("#id_comment", "half a comment")
    page.reload()
    page.wait_for_selector("#kept >> text=typed before")
    assert page.input_value("#id_comment") == "half a comment"
    assert page.is_checked("#id_satisfaction_1")
    page.click("#kept button")
    assert page.input_value("#id_comment") == ""
    page.reload()
    assert page.input_value("#id_comment") == ""


def test_the_next_guest_on_the_same_phone_makes_another_submission(open_page: Open) -> None:
    page = open_page("/?lang=en")
    for expected in (1, 2):
        page.check("#id_satisfaction_4")
        send(page)
        page.wait_for_selector(".reference")
        assert Submission.objects.count() == expected
        page.go_back()
        page.wait_for_selector("#survey")


def test_a_draft_of_one_branch_is_not_another_branchs(open_page: Open) -> None:
    for code in ("east", "west"):
        Branch.objects.create(code=code, name=code)
    page = open_page("/s/east?lang=en")
    page.fill("#id_comment", "about the east branch")
    for path in ("/s/west?lang=en", "/?lang=en"):
        page.goto(path)
        assert page.input_value("#id_comment") == ""
    page.goto("/s/east?lang=en")
    page.wait_for_selector("#kept >> text=typed before")
    assert page.input_value("#id_comment") == "about the east branch"


def test_a_draft_that_was_never_sent_is_gone_after_a_day(open_page: Open) -> None:
    page = open_page("/?lang=en")
    page.fill("#id_comment", "half a comment")
    page.evaluate(
        """() => {
            const draft = JSON.parse(localStorage.getItem("draft:survey"));
            draft.savedAt -= 25 * 3600 * 1000;
            localStorage.setItem("draft:survey", JSON.stringify(draft));
        }"""
    )
    page.reload()
    assert page.input_value("#id_comment") == ""
    assert page.evaluate("localStorage.getItem('draft:survey')") is None
