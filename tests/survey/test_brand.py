"""The brand of the chain: name, logo and colour on the guests' pages, the cards, the staff's pages and in mails."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import OperationalError
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from mydjango.cold_start import bare_query
from survey import chain as kept_chain
from survey import palette
from survey.chain import Chain as KeptChain
from survey.chain import KeptBrand
from survey.guest import blank_page
from survey.guest import brand as stylesheets
from survey.models import Brand, Question
from tests.support.chain import Chain, make_submission

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="4"/></svg>'
LOGO = "data:image/svg+xml;base64," + base64.b64encode(SVG).decode()
XIAOMAN = KeptBrand("小满 & 自助", "Xiaoman", "#0a7d3f", LOGO)
EDIT = "/dashboard/brand/"
RULES = palette.css("#0a7d3f")


@pytest.fixture
def brand() -> KeptBrand:
    """The brand, as this process has read it."""
    kept_chain.keep(KeptChain(brand=XIAOMAN))
    return XIAOMAN


def store(**fields: str) -> None:
    Brand.objects.update_or_create(pk=Brand.ONLY, defaults=fields)
    kept_chain.forget()


def text_of(response: Any) -> str:
    return str(response.content.decode())


@pytest.mark.django_db
def test_the_brand_is_read_with_the_questions_in_one_statement(django_assert_num_queries: Any) -> None:
    store(name="小满", name_en="Xiaoman", color="#0a7d3f", logo=LOGO)
    Question.objects.create(kind="aspect", key="soup", label="汤")
    with django_assert_num_queries(1):
        found = kept_chain.current()
    assert found.brand == KeptBrand("小满", "Xiaoman", "#0a7d3f", LOGO)
    assert [question.key for question in found.questions] == ["soup"]


@pytest.mark.django_db
def test_while_the_database_is_away_the_last_brand_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    store(name="小满")
    assert kept_chain.current().brand.name == "小满"

    def fail(statement: str) -> bare_query.Rows:
        raise OperationalError

    monkeypatch.setattr(bare_query, "fetch", fail)
    kept_chain.forget()
    assert kept_chain.current().brand.name == "小满"


@pytest.mark.parametrize(
    ("fields", "chinese", "english"),
    [
        ({"name": "小满", "name_en": "Xiaoman"}, "小满", "Xiaoman"),
        ({"name": "小满"}, "小满", "小满"),
        ({}, "面馆", "面馆"),
    ],
)
def test_the_name_is_that_of_head_office_or_else_of_the_setting(
    settings: LazySettings, fields: dict[str, str], chinese: str, english: str
) -> None:
    settings.CHAIN_NAME = "面馆"
    assert (KeptBrand(**fields).name_in("zh-hans"), KeptBrand(**fields).name_in("en")) == (chinese, english)


@pytest.fixture
def packaged(settings: LazySettings, tmp_path: Path) -> None:
    """The pages that a package holds, which are rendered without any brand."""
    settings.BLANK_PAGES = tmp_path / "pages"
    call_command("render_blank_pages")


@pytest.mark.parametrize("is_packaged", [True, False])
def test_the_survey_page_has_logo_and_colour_whether_packaged_or_rendered(
    is_packaged: bool, brand: KeptBrand, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_packaged:
        request.getfixturevalue("packaged")

        def fail(*_arguments: object) -> str:
            raise AssertionError("A brand alone needs no rendering.")

        monkeypatch.setattr("survey.guest.blank_page_rendering.render", fail)
    blank_page._page_text.cache_clear()
    page = blank_page.complete_page(RequestFactory().get("/?lang=zh"))
    assert f'<p class="chain"><img src="{LOGO}" alt="小满 &amp; 自助"></p>' in page
    assert len(re.findall(r'<link rel="stylesheet" href="/brand/0a7d3f-[0-9a-f]{12}\.css">', page)) == 1
    assert "survey/survey" not in page.partition("<script")[0]
    assert 'alt="Xiaoman"' in blank_page.complete_page(RequestFactory().get("/?lang=en"))


def test_a_page_without_a_brand_is_as_it_was() -> None:
    page = blank_page.complete_page(RequestFactory().get("/"))
    assert 'class="chain"' not in page
    assert "/brand/" not in page
    assert "survey/survey.css" in page


@pytest.mark.django_db
def test_a_page_of_a_branded_chain_makes_as_many_requests_as_any_other(client: Client, brand: KeptBrand) -> None:
    branded = re.findall(r'(?:src|href)="(/[^"]*\.(?:css|js))"', text_of(client.get("/")))
    kept_chain.keep(kept_chain.CORE)
    assert len(branded) == len(re.findall(r'(?:src|href)="(/[^"]*\.(?:css|js))"', text_of(client.get("/")))) == 3


@pytest.mark.django_db
def test_guests_see_the_brand_on_every_page(client: Client, chain: Chain, brand: KeptBrand) -> None:
    thanks = reverse("thanks", args=[make_submission(chain.north).reference])
    for path in ("/s/north", thanks, "/privacy", "/erase", "/erase/done", "/s/nowhere", "/nowhere"):
        page = text_of(client.get(path, headers={"Accept": "text/html"}))
        assert f'src="{LOGO}"' in page, path
        assert "/brand/0a7d3f-" in page, path
    assert "小满 &amp; 自助" in text_of(client.get("/privacy?lang=zh"))


@pytest.mark.django_db
def test_an_error_page_makes_no_query_for_the_brand(client: Client, django_assert_num_queries: Any) -> None:
    store(name="小满")
    with django_assert_num_queries(0):
        page = text_of(client.get("/nowhere", headers={"Accept": "text/html"}))
    assert "小满" not in page
    kept_chain.current()
    assert "小满" in text_of(client.get("/nowhere", headers={"Accept": "text/html"}))


@pytest.mark.django_db
def test_staff_see_the_brand_in_the_header_on_cards_and_in_the_admin(
    client: Client, chain: Chain, brand: KeptBrand, admin_user: Any
) -> None:
    for path in ("/dashboard/login/",):
        assert f'<p class="brand"><img src="{LOGO}" alt="小满 &amp; 自助"></p>' in text_of(client.get(path))
    client.force_login(admin_user)
    for path in ("/dashboard/", "/admin/", "/dashboard/cards/"):
        page = text_of(client.get(path))
        assert f'<img src="{LOGO}"' in page, path
        assert '<link rel="stylesheet" href="/brand/0a7d3f.css">' in page, path
    kept_chain.keep(kept_chain.CORE)
    assert '<p class="brand">满意度调查</p>' in text_of(client.get("/dashboard/"))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["alert", "invitation", "password", "receipt"])
def test_a_mail_ends_with_the_name_of_the_chain(chain: Chain, brand: KeptBrand, name: str) -> None:
    context = {"submission": make_submission(chain.north, 1), "user": chain.head, "link": "https://example.com/"}
    with translation.override("zh-hans"):
        assert render_to_string(f"mail/{name}.txt", context).endswith("\n-- \n小满 & 自助\n")
        kept_chain.keep(kept_chain.CORE)
        assert "--" not in render_to_string(f"mail/{name}.txt", context)


def test_the_stylesheet_has_the_rules_of_the_survey_and_of_the_colour(client: Client) -> None:
    """Without the database, which this test does not allow."""
    colors = client.get("/brand/0a7d3f.css")
    assert text_of(colors) == RULES
    assert colors["Content-Type"] == "text/css; charset=utf-8"
    whole = client.get(XIAOMAN.stylesheet("/static/survey/survey.css"))
    assert text_of(whole).endswith(RULES)
    assert "button.send" in text_of(whole)
    assert whole["Cache-Control"] == stylesheets.FOR_A_MINUTE  # a file without a hash may change


def test_browsers_keep_the_collected_stylesheet_for_years(
    client: Client, settings: LazySettings, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path
    storage = "mydjango.http.hashed_files.HashedFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    call_command("collectstatic", verbosity=0, interactive=False)
    caches = (stylesheets.survey_css, blank_page._page_text)
    for cache in caches:
        cache.cache_clear()
    page = blank_page.complete_page(RequestFactory().get("/"), None, KeptChain(brand=XIAOMAN))
    (path,) = re.findall(r'href="(/brand/[^"]*)"', page)
    served = client.get(path)
    assert served["Cache-Control"] == stylesheets.FOR_YEARS
    assert text_of(served).endswith(RULES)
    assert "button.send" in text_of(served)
    of_another_release = client.get("/brand/0a7d3f-aaaaaaaaaaaa.css")
    assert of_another_release["Cache-Control"] == stylesheets.FOR_A_MINUTE
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("name", ["0A7D3F", "0a7d3", "0a7d3f0", "red", "0a7d3f-", "0a7d3f-xyz", "0a7d3f-0a7d3f0a7d3f0"])
def test_any_other_stylesheet_is_not_found(client: Client, name: str) -> None:
    assert client.get(f"/brand/{name}.css").status_code == 404


@pytest.fixture
def head(client: Client, chain: Chain) -> Callable[..., Any]:
    """Post the form as head office, which stands on the page that was shown."""
    client.force_login(chain.head)

    def post(**fields: Any) -> Any:
        return client.post(EDIT, {"name": "小满", "color": "#0a7d3f", **fields}, headers={"Accept-Language": "en"})

    return post


def svg_file(content: bytes = SVG) -> SimpleUploadedFile:
    return SimpleUploadedFile("logo.svg", content, "image/svg+xml")


def test_head_office_sets_name_colour_and_logo(
    head: Callable[..., Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert head(name_en="Xiaoman", file=svg_file()).status_code == 302
    assert kept_chain.current().brand == KeptBrand("小满", "Xiaoman", "#0a7d3f", LOGO)
    head(name="小寒", logo=LOGO)  # as the page sends it again
    assert list(Brand.objects.values_list("name", "name_en", "logo")) == [("小寒", "", LOGO)]
    head(logo=LOGO, without_logo="on")
    assert Brand.objects.get().logo == ""


def test_the_default_colour_is_not_stored(head: Callable[..., Any]) -> None:
    head(color="#B3261E")
    assert Brand.objects.get().color == ""


def test_a_preview_stores_nothing_and_carries_the_logo(head: Callable[..., Any]) -> None:
    page = head(preview="1", file=svg_file())
    assert page.status_code == 200
    assert not Brand.objects.exists()
    text = text_of(page)
    assert "Preview, not saved yet" in text
    assert f'<input type="hidden" name="logo" value="{LOGO}"' in text
    assert text.count(f'<image href="{LOGO}"') == 2
    light, dark = palette.palettes("#0a7d3f")
    assert f'fill="{light.fill}"' in text
    assert f'fill="{dark.brand}"' in text


@pytest.mark.parametrize(
    ("content", "notice"),
    [
        (SVG.replace(b"<circle", b"<script/><circle"), "The file holds &lt;script&gt;"),
        (b"GIF89a", "This is not an SVG or PNG file."),
        (SVG.ljust(5_000), "This file is larger than 4 kB."),
    ],
)
def test_a_file_that_is_no_logo_is_refused_with_the_reason(
    head: Callable[..., Any], content: bytes, notice: str
) -> None:
    page = head(file=svg_file(content))
    assert page.status_code == 400
    assert notice in text_of(page)
    assert not Brand.objects.exists()


def test_a_logo_that_no_form_made_is_not_stored(head: Callable[..., Any]) -> None:
    head(logo="https://evil.example/x.svg")
    assert Brand.objects.get().logo == ""


@pytest.mark.parametrize("color", ["red", "#0a7d3", "#0a7d3f;}", ""])
def test_a_colour_that_is_none_is_refused(head: Callable[..., Any], color: str) -> None:
    assert head(color=color).status_code == 400
    assert not Brand.objects.exists()
