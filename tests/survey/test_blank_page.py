"""The survey page that is rendered once: what differs between guests is never kept."""

from __future__ import annotations

import re

import pytest
from django.conf import LazySettings
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import set_script_prefix
from django.utils import translation

from survey.guest import blank_page
from survey.guest.forms import SubmissionForm
from survey.guest.visit import VisitForm
from survey.models import Branch

pytestmark = pytest.mark.django_db

LANGUAGES = ("zh-hans", "en")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Begin each test like a new process."""
    blank_page._render_with_placeholders.cache_clear()


@pytest.fixture
def branch() -> Branch:
    return Branch.objects.create(code="sh01", name='<人民> & "广场"', name_en="People's <Square>")


def hidden_values(page: str) -> dict[str, str]:
    """Return the values of the visit's hidden fields by name."""
    found = re.findall(r'name="(submission_id|started)" value="([^"]+)"', page)
    assert len(found) == 2
    return dict(found)


@pytest.mark.parametrize("query", ["", "?lang=zh", "?lang=en&x=%22%3C&x=%EF%B7%90branch%EF%B7%90"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("with_branch", [True, False])
def test_the_kept_page_is_the_rendered_one(branch: Branch, language: str, query: str, with_branch: bool) -> None:
    request = RequestFactory().get(f"/s/sh01{query}")
    shown = branch if with_branch else None
    for _first_and_kept in range(2):
        with translation.override(language):
            page = blank_page.render_blank_page(request, shown)
            context = {
                "form": SubmissionForm.for_page(shown),
                "visit": VisitForm(initial=hidden_values(page)),
                "branch_code": shown.code if shown else "",
            }
            assert page == render_to_string("guest/page.html", context, request)
    assert blank_page.MARK not in page


def test_every_visit_has_a_key_and_a_time_of_its_own(client: Client) -> None:
    visits = [hidden_values(client.get("/").content.decode()) for _ in range(5)]
    assert len({visit["submission_id"] for visit in visits}) == len(visits)
    assert all(VisitForm(visit).is_valid() for visit in visits)


def test_the_page_is_rendered_once_for_each_language_and_branch_state(client: Client, branch: Branch) -> None:
    other = Branch.objects.create(code="sh02", name="外滩店")
    for _ in range(3):
        for path in ("/", "/s/sh01", "/s/sh02", "/?from=wechat"):
            for language in LANGUAGES:
                assert client.get(path, headers={"accept-language": language}).status_code == 200
    assert blank_page._render_with_placeholders.cache_info().currsize == len(LANGUAGES) * 2
    assert other.name in client.get("/s/sh02").content.decode()


def test_a_change_of_a_branchs_name_shows_at_once(client: Client, branch: Branch) -> None:
    assert "&lt;人民&gt;" in client.get("/s/sh01").content.decode()
    Branch.objects.update(name="外滩店")
    page = client.get("/s/sh01").content.decode()
    assert "外滩店" in page
    assert "人民" not in page


def test_no_guests_values_reach_the_next_guest(client: Client, branch: Branch) -> None:
    client.get("/s/sh01?secret=query")
    client.post("/s/sh01", {"comment": "typed", "submission_id": "key", "redisplay": "1"})
    client.post("/submitSurvey", {"comment": "typed", "branch": "sh01"})
    page = client.get("/s/sh01").content.decode()
    for value in ("secret", "typed", 'value="key"', 'class="error"'):
        assert value not in page


def test_a_long_path_before_ours_is_not_kept() -> None:
    set_script_prefix("/" + "x" * 500)
    assert "x" * 500 in blank_page.render_blank_page(RequestFactory().get("/"), None)
    assert not blank_page._render_with_placeholders.cache_info().currsize


def test_nothing_is_kept_with_debug(client: Client, settings: LazySettings) -> None:
    settings.DEBUG = True
    assert client.get("/").status_code == 200
    assert not blank_page._render_with_placeholders.cache_info().currsize
