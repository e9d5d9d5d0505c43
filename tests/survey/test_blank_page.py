"""The survey page is rendered once, for the package or in the process; what differs between guests is never kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.test.utils import override_script_prefix, override_settings
from django.urls import set_script_prefix
from django.utils import translation

from mydjango.http.language import preferred_language
from survey.chain import ASPECT, PROBLEM, Chain, KeptQuestion, core, keep
from survey.guest import blank_page
from survey.guest.blank_page_rendering import render
from survey.guest.forms import SubmissionForm
from survey.guest.opening import MARK
from survey.guest.visit import VisitForm
from survey.models import Branch
from survey.table_number import named_table, query_of

LANGUAGES = ("zh-hans", "en")


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Begin each test like a new process, and leave nothing to the next."""
    blank_page._page_text.cache_clear()
    yield
    blank_page._page_text.cache_clear()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package") / "blank_pages"
    with override_settings(BLANK_PAGES=folder):
        call_command("render_blank_pages")
    return folder


@pytest.fixture
def packaged(settings: LazySettings, rendered: Path) -> Path:
    """The folder of the pages that packaging renders."""
    settings.BLANK_PAGES = rendered
    return rendered


@pytest.fixture
def branch(db: None) -> Branch:
    return Branch.objects.create(code="sh01", name='<人民> & "广场"', name_en="People's <Square>")


def hidden_values(page: str) -> dict[str, str]:
    """Return the values of the visit's hidden fields by name."""
    found = re.findall(r'name="(submission_id|started)" value="([^"]+)"', page)
    assert len(found) == 2
    return dict(found)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?lang=zh",
        "?lang=en&x=%22%3C&x=%EF%B7%90branch%EF%B7%90",
        "?t=12",
        "?t=a%2D12&lang=en",
        "?t=包厢3",
        "?t=<b>",
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("with_branch", [True, False])
def test_the_kept_page_is_the_rendered_one(branch: Branch, language: str, query: str, with_branch: bool) -> None:
    request = RequestFactory().get(f"/s/sh01{query}", headers={"accept-language": language})
    shown = branch if with_branch else None
    for _first_and_kept in range(2):
        with translation.override(preferred_language(request)):
            page = blank_page.complete_page(request, shown)
            context = {
                "form": SubmissionForm.for_page(shown, named_table(request) if shown else ""),
                "visit": VisitForm(initial=hidden_values(page)),
                "branch_code": shown.code if shown else "",
                "table_query": query_of(named_table(request)) if shown else "",
            }
            assert page == render_to_string("guest/page.html", context, request)
    assert MARK not in page


@pytest.mark.django_db
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
    assert blank_page._page_text.cache_info().currsize == len(LANGUAGES) * 2
    assert other.name in client.get("/s/sh02").content.decode()


def test_a_change_of_a_branchs_name_shows_at_once(client: Client, branch: Branch) -> None:
    assert "&lt;人民&gt;" in client.get("/s/sh01").content.decode()
    Branch.objects.update(name="外滩店")
    page = client.get("/s/sh01").content.decode()
    assert "外滩店" in page
    assert "人民" not in page


def test_no_guests_values_reach_the_next_guest(client: Client, branch: Branch) -> None:
    client.get("/s/sh01?secret=query")
    assert "T77" in client.get("/s/sh01?t=T77").content.decode()
    client.post("/s/sh01", {"comment": "typed", "submission_id": "key", "redisplay": "1"})
    client.post("/submitSurvey", {"comment": "typed", "branch": "sh01"})
    page = client.get("/s/sh01").content.decode()
    for value in ("secret", "typed", "T77", "t=T", 'value="key"', 'class="error"'):
        assert value not in page


def test_a_long_path_before_ours_is_not_kept() -> None:
    set_script_prefix("/" + "x" * 500)
    assert "x" * 500 in blank_page.complete_page(RequestFactory().get("/"))
    assert not blank_page._page_text.cache_info().currsize


@pytest.mark.django_db
def test_nothing_is_kept_with_debug(client: Client, settings: LazySettings) -> None:
    settings.DEBUG = True
    assert client.get("/").status_code == 200
    assert not blank_page._page_text.cache_info().currsize


@pytest.mark.parametrize("query", ["", "?lang=zh", "?lang=en&from=wechat", "?lang=fr"])
@pytest.mark.parametrize("language", [*LANGUAGES, "zh-TW,en;q=0.5", "fr"])
def test_the_packaged_page_is_the_response_of_the_view(
    settings: LazySettings, packaged: Path, language: str, query: str
) -> None:
    headers = {"accept-language": language}
    for method in ("get", "head"):
        settings.BLANK_PAGES = packaged
        with pytest.MonkeyPatch.context() as patch:
            patch.delattr("survey.guest.views.complete_page")
            from_package = getattr(Client(), method)(f"/{query}", headers=headers)
        blank_page._page_text.cache_clear()
        settings.BLANK_PAGES = packaged / "missing"
        from_view = getattr(Client(), method)(f"/{query}", headers=headers)
        assert without_visit(from_package.content) == without_visit(from_view.content)
        assert without_dates(from_package.headers) == without_dates(from_view.headers)


def without_visit(page: bytes) -> str:
    return re.sub(r'(name="(?:submission_id|started)" value=)"[^"]+"', r"\1", page.decode())


def without_dates(headers: object) -> dict[str, str]:
    return {name: value for name, value in dict(headers).items() if name != "Expires"}  # type: ignore[call-overload]


LOUD = KeptQuestion(7, PROBLEM, "loud", "<太> & \\1吵", "Too 'loud'")
PARKING = KeptQuestion(8, ASPECT, "parking", "停车\\g<0>", "")
TASTE = KeptQuestion(9, ASPECT, "taste", "味道如何", "How did it taste?")
WAITING = KeptQuestion(10, PROBLEM, "waiting", "等太久", "Slow")
RETIRED = KeptQuestion(11, ASPECT, "service", "服务", "Service", is_retired=True)


@pytest.mark.parametrize(
    "questions",
    [
        (LOUD, PARKING, TASTE, WAITING, RETIRED),
        (TASTE, PARKING, WAITING, LOUD),
        (PARKING, LOUD),
        core(),
        (PARKING,),
        (LOUD, RETIRED),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("with_branch", [True, False])
def test_own_questions_are_put_into_the_packaged_page_as_it_would_be_rendered(
    packaged: Path, questions: tuple[KeptQuestion, ...], language: str, with_branch: bool
) -> None:
    chain = Chain(questions)
    assert blank_page._page_text(language, False, "/", with_branch, chain) == render(
        language, False, with_branch, chain
    )


def test_own_questions_of_the_packaged_page_need_no_template(packaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("survey.guest.blank_page_rendering.render")
    keep(Chain((PARKING, LOUD)))
    assert 'name="own-parking"' in Client().get("/").content.decode()


def test_the_packaged_page_shows_a_branchs_name(packaged: Path, branch: Branch, client: Client) -> None:
    page = client.get("/s/sh01", headers={"accept-language": "en"}).content.decode()
    assert "People&#x27;s &lt;Square&gt;" in page
    assert 'data-draft="survey-sh01"' in page


def test_behind_a_path_prefix_the_page_is_rendered_with_it(packaged: Path) -> None:
    with override_script_prefix("/release/"):
        assert 'action="/release/submitSurvey"' in blank_page.complete_page(RequestFactory().get("/"))


def test_a_post_to_the_page_reaches_its_view(packaged: Path, client: Client) -> None:
    assert "typed" in client.post("/", {"comment": "typed"}).content.decode()


def test_nothing_in_the_packaged_pages_depends_on_the_environment(
    settings: LazySettings, rendered: Path, tmp_path: Path
) -> None:
    """Nor on the database, which this test does not allow."""
    texts = {file.name: file.read_text("utf-8") for file in rendered.iterdir()}
    settings.SECRET_KEY = settings.CHAIN_NAME = settings.PRIVACY_CONTACT = "another"
    settings.PUBLIC_URL = "https://another.example.com"
    settings.RETENTION_DAYS = settings.MINIMUM_FILL_SECONDS = settings.SUBMISSIONS_PER_HOUR = 77
    settings.BLANK_PAGES = tmp_path / "again"
    call_command("render_blank_pages")
    assert {file.name: file.read_text("utf-8") for file in settings.BLANK_PAGES.iterdir()} == texts
    assert len(texts) == 2 * 2 * len(settings.LANGUAGES)
