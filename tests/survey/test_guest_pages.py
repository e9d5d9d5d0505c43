"""The guests' pages: every field of the API, language, branches, security headers, references, redisplay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse, set_script_prefix
from django.utils import timezone
from pytest_django import Settings

from survey.guest.consent import CONSENT_VERSION, CONSENT_VERSIONS
from survey.guest.links import thanks_path
from survey.guest.visit import VisitForm
from survey.models import Branch, ErasureRequest, OutgoingMail, Submission
from survey.scales import Problem

pytestmark = pytest.mark.django_db

API = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}


@pytest.fixture
def branch() -> Branch:
    return Branch.objects.create(code="sh01", name="人民广场店", name_en="People's Square")


def post_json(client: Client, **values: Any) -> Any:
    return client.post("/submitSurvey", {**API, **values}, content_type="application/json")


def test_the_api_takes_every_field(client: Client, branch: Branch) -> None:
    aspects = {"taste": 1, "variety": 2, "hygiene": 3, "service": 4, "atmosphere": 5, "value": 1}
    response = post_json(
        client,
        satisfaction=2,
        recommend=0,
        problems=["cold", "dirty", "cold"],
        branch="sh01",
        consent_version="2026-11",
        **aspects,
    )
    assert response.status_code == 201
    submission = Submission.objects.get()
    assert submission.recommend == 0
    assert submission.problem_list == [Problem.COLD, Problem.DIRTY]
    assert {name: getattr(submission, name) for name in aspects} == aspects
    assert (submission.branch, submission.consent_version) == (branch, "2026-11")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recommend", 11),
        ("recommend", -1),
        ("recommend", "5"),
        ("recommend", None),
        ("taste", 0),
        ("taste", 6),
        ("taste", True),
        ("problems", "cold"),
        ("problems", [1]),
        ("problems", ["rude"]),
        ("branch", "nowhere"),
        ("branch", 1),
        ("consent_version", "1999-01"),
        ("anonymous", "yes"),
        ("follow_up_status", "solved"),
    ],
)
def test_an_error_in_the_optional_fields_names_the_field(client: Client, field: str, value: Any) -> None:
    response = post_json(client, **{field: value})
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]
    assert not Submission.objects.exists()


@pytest.mark.parametrize(("satisfaction", "kept"), [(1, [Problem.COLD]), (2, [Problem.COLD]), (3, []), (5, [])])
def test_problems_are_kept_of_a_low_score_only(client: Client, satisfaction: int, kept: list[Problem]) -> None:
    sent = {**API, "satisfaction": satisfaction, "problems": ["cold"]}
    assert client.post("/submitSurvey", sent).status_code == 302
    assert post_json(client, **sent).status_code == 201
    assert [submission.problem_list for submission in Submission.objects.all()] == [kept, kept]


def test_the_api_still_requires_name_and_phone(client: Client) -> None:
    response = client.post("/submitSurvey", {"satisfaction": 5}, content_type="application/json")
    assert sorted(response.json()["errors"]) == ["name", "phone"]


def test_an_anonymous_submission_keeps_no_contact_details_and_promises_no_mail(client: Client) -> None:
    sent = {"satisfaction": 5, "anonymous": "yes", "name": "Tom", "phone": "x", "email": "tom@example.com"}
    assert client.post("/submitSurvey", sent).status_code == 302
    submission = Submission.objects.get()
    assert (submission.name, submission.phone, submission.email) == ("", "", "")
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize(
    "path", ["/", "/privacy", "/erase", "/s/nowhere", "/submitSurvey", "/hello/Tom", "/admin/login/"]
)
def test_every_response_has_a_strict_content_security_policy(client: Client, path: str) -> None:
    policy = client.get(path)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/privacy", "/erase", "/erase/done", "/erase/requested"])
def test_guests_who_send_nothing_get_no_cookie(client: Client, path: str) -> None:
    assert not client.get(path).cookies


@pytest.mark.parametrize(
    ("url", "accepted", "language"),
    [
        ("/", "en", "en"),
        ("/", "fr", "zh-hans"),
        ("/?lang=zh", "en", "zh-hans"),
        ("/?lang=en", "zh-CN", "en"),
        ("/?lang=zh-Hans", "en", "zh-hans"),
        ("/?lang=klingon", "en", "en"),
        ("/?lang=", "en", "en"),
    ],
)
def test_the_url_names_the_language_before_the_browser_does(
    client: Client, url: str, accepted: str, language: str
) -> None:
    page = client.get(url, headers={"accept-language": accepted})
    assert f'<html lang="{language}">' in page.content.decode()


@pytest.mark.parametrize(("code", "typed"), [("renmin", "RENMIN"), ("Renmin", "renmin"), ("ren_min", "REN_MIN")])
def test_a_branch_is_found_whatever_letters_its_code_is_typed_in(client: Client, code: str, typed: str) -> None:
    branch = Branch.objects.create(code=code, name="x")
    page = client.get(f"/s/{typed}")
    assert f'name="branch" value="{code}"' in page.content.decode()
    assert post_json(client, branch=typed).status_code == 201
    assert Submission.objects.get().branch == branch


def test_an_underscore_stands_for_itself(client: Client, branch: Branch) -> None:
    assert client.get("/s/sh_1").status_code == 404


@pytest.mark.skipif(connection.vendor == "mysql", reason="there its collation never allowed them")
def test_of_two_old_branches_whose_codes_differ_in_capitals_each_is_found(client: Client) -> None:
    for code in ("RENMIN", "renmin"):
        Branch.objects.create(code=code, name=code)
    for code in ("RENMIN", "renmin"):
        assert f'name="branch" value="{code}"' in client.get(f"/s/{code}").content.decode()


@pytest.mark.parametrize(("query", "kept"), [("", ""), ("?lang=en", "?lang=en")])
def test_a_trailing_slash_of_a_branchs_address_is_redirected(
    client: Client, branch: Branch, query: str, kept: str
) -> None:
    response = client.get(f"/s/SH01/{query}")
    assert (response.status_code, response["Location"]) == (301, f"/s/SH01{kept}")


def test_an_unknown_branch_is_a_problem_for_json_callers(client: Client) -> None:
    response = client.get("/s/nowhere", headers={"accept": "application/json"})
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_the_pages_after_an_erasure_and_a_request_can_be_read_in_the_other_language(client: Client) -> None:
    sent = client.post("/erase?lang=zh", {"reference": "7KQ2MXRA", "phone": ""})
    assert sent["Location"] == "/erase/requested?lang=zh"
    for path in ("/erase/requested", "/erase/done"):
        assert "<form" not in client.get(f"{path}?lang=zh").content.decode()
    assert "<h1>Request sent</h1>" in client.get("/erase/requested?lang=en").content.decode()
    assert "<h1>Erased</h1>" in client.get("/erase/done?lang=en").content.decode()


SPELLINGS = ["7KQ2MXRA", "7kq2mxra", " 7KQ2 MXRA ", "７ＫＱ２ＭＸＲＡ", "７ｋｑ2mxra"]


@pytest.mark.parametrize("reference", SPELLINGS)
def test_a_reference_may_be_typed_in_several_ways(client: Client, reference: str) -> None:
    Submission.objects.create(reference="7KQ2MXRA", satisfaction=1, language="en")
    assert client.post("/erase", {"reference": reference, "phone": ""}).status_code == 302
    assert ErasureRequest.objects.get().submission == Submission.objects.get()


def test_every_spelling_of_a_reference_shares_its_attempts(client: Client) -> None:
    Submission.objects.create(reference="7KQ2MXRA", satisfaction=1, phone="13800138000", language="en")
    for reference in SPELLINGS:
        assert client.post("/erase", {"reference": reference, "phone": "13900139000"}).status_code == 302
    assert client.post("/erase", {"reference": "7KQ2MXRA", "phone": "13800138000"}).status_code == 429


@pytest.mark.parametrize(
    "reference", ["7KQ2MXRÁ", "7KQ2MXRA\u0301", "7KQ2MXRA\u200b", "7ĶQ2MXRA", "7KQ2MXRAA", "7KQ2MXR"]
)
def test_a_string_that_only_the_collation_takes_for_a_reference_is_none(client: Client, reference: str) -> None:
    Submission.objects.create(reference="7KQ2MXRA", satisfaction=1, language="en")
    refused = client.post("/erase", {"reference": reference, "phone": ""})
    assert refused.status_code == 400
    assert list(refused.context["form"].errors) == ["reference"]
    assert Submission.objects.get().erased_at is None


def test_the_thanks_page_of_a_reference_in_small_letters(client: Client) -> None:
    Submission.objects.create(reference="7KQ2MXRA", satisfaction=5, language="en")
    assert client.get("/thanks/7kq2mxra").status_code == 200
    assert client.get("/thanks/7KQ2MXRB").status_code == 404


def test_a_posted_page_is_redisplayed_as_typed_and_stores_nothing(branch: Branch) -> None:
    client = Client(enforce_csrf_checks=True)
    typed = {"satisfaction": "4", "problems": ["cold"], "comment": "<好>", "submission_id": "key", "redisplay": "1"}
    response = client.post("/s/sh01?lang=en", {**typed, "branch": "elsewhere", "phone": "no number"})
    page = response.content.decode()
    assert response.status_code == 200
    assert "&lt;好&gt;" in page
    assert 'value="key"' in page
    assert 'value="no number"' in page
    assert 'name="branch" value="sh01"' in page
    assert page.count(" checked") == 2
    assert 'class="error"' not in page
    assert not Submission.objects.exists()


@pytest.mark.parametrize("path", ["/", "/submitSurvey"])
def test_a_redisplayed_page_keeps_the_consent_version_that_it_showed_first(client: Client, path: str) -> None:
    earlier = CONSENT_VERSIONS[-1]
    typed = {"comment": "x", "consent_version": earlier}
    for posted in ({**typed, "redisplay": "1"}, typed) if path == "/submitSurvey" else (typed,):
        page = client.post(f"{path}?lang=en", posted).content.decode()
        assert f'name="consent_version" value="{earlier}"' in page
        assert f"(version {earlier})" in page


@pytest.mark.parametrize("posted", [{}, {"consent_version": ""}, {"consent_version": "1999-01"}])
def test_a_redisplayed_page_without_a_known_consent_version_gets_todays(client: Client, posted: dict[str, str]) -> None:
    page = client.post("/?lang=en", {"comment": "x", **posted}).content.decode()
    assert f'name="consent_version" value="{CONSENT_VERSION}"' in page


@pytest.mark.parametrize("version", CONSENT_VERSIONS)
def test_every_version_of_the_notice_is_accepted_and_stored_as_sent(client: Client, version: str) -> None:
    assert (
        client.post("/submitSurvey", {"satisfaction": 5, "anonymous": "yes", "consent_version": version}).status_code
        == 302
    )
    assert Submission.objects.get().consent_version == version


def test_a_redisplayed_page_is_cached_by_the_guests_browser_alone(client: Client) -> None:
    """A browser cannot go back to the response to a POST that it may not store."""
    pages = [client.post("/", {"redisplay": "1"}), client.post("/submitSurvey", {"redisplay": "1"})]
    pages.append(client.post("/submitSurvey", {"comment": "x"}))
    assert [page.status_code for page in pages] == [200, 200, 400]
    for page in pages:
        assert sorted(page["Cache-Control"].split(", ")) == ["no-cache", "private"]
    for other in (client.post("/submitSurvey", API), post_json(client, satisfaction=6)):
        assert "no-store" in other["Cache-Control"]


def test_a_closed_branch_redisplays_no_page(client: Client, branch: Branch) -> None:
    Branch.objects.update(is_open=False)
    assert client.post("/s/sh01", {"comment": "x", "redisplay": "1"}).status_code == 404


class TestAClosedBranch:
    """Once closed, a branch takes only the submissions of pages that were opened before."""

    @pytest.fixture(autouse=True)
    def sent_at_once(self, settings: Any) -> None:
        settings.MINIMUM_FILL_SECONDS = 0

    @pytest.fixture
    def opened_after(self, branch: Branch) -> dict[str, Any]:
        """Return the fields of a page opened a minute after the branch closed."""
        branch.is_open = False
        branch.save()
        Branch.objects.update(closed_at=timezone.now() - timedelta(minutes=1))
        return {**API, "branch": "sh01", **VisitForm.fresh().initial}

    def test_a_page_opened_before_is_taken(self, client: Client, branch: Branch) -> None:
        opened_before = {**API, "branch": "sh01", **VisitForm.fresh().initial}
        branch.is_open = False
        branch.save()
        Branch.objects.update(closed_at=timezone.now() + timedelta(minutes=1))
        assert client.post("/submitSurvey", opened_before).status_code == 302
        assert Submission.objects.get().branch == branch

    def test_a_page_opened_after_is_refused_with_its_values(self, client: Client, opened_after: dict[str, Any]) -> None:
        page = client.post("/submitSurvey", opened_after)
        assert page.status_code == 400
        assert Branch.objects.get().local_name in page.context["notice"]
        assert 'value="Tom"' in page.content.decode()
        assert not Submission.objects.exists()

    def test_a_page_without_its_time_is_refused(self, client: Client, opened_after: dict[str, Any]) -> None:
        assert client.post("/submitSurvey", {**opened_after, "started": ""}).status_code == 400

    def test_a_branch_closed_at_an_unknown_time_is_refused(self, client: Client, opened_after: dict[str, Any]) -> None:
        Branch.objects.update(closed_at=None)  # closed by the release before
        assert client.post("/submitSurvey", opened_after).status_code == 400

    def test_the_api_names_the_field(self, client: Client, opened_after: dict[str, Any]) -> None:
        response = client.post("/submitSurvey", {**API, "branch": "sh01"}, content_type="application/json")
        assert response.status_code == 400
        assert list(response.json()["errors"]) == ["branch"]

    def test_a_retry_gets_the_submission_that_was_stored_before(self, client: Client, branch: Branch) -> None:
        fields = {**API, "branch": "sh01", "submission_id": "k"}
        first = client.post("/submitSurvey", fields, content_type="application/json")
        branch.is_open = False
        branch.save()
        again = client.post("/submitSurvey", fields, content_type="application/json")
        assert (again.status_code, again.json()) == (201, first.json())
        assert again["Idempotent-Replayed"] == "true"

    def test_a_branch_that_opens_again_takes_submissions(
        self, client: Client, branch: Branch, opened_after: dict[str, Any]
    ) -> None:
        branch.is_open = True
        branch.save()
        assert Branch.objects.get().closed_at is None
        assert client.post("/submitSurvey", opened_after).status_code == 302


def test_the_thanks_show_what_the_branch_wants_to_say(client: Client, settings: Settings) -> None:
    settings.CHAIN_NAME = "面馆"
    branch = Branch.objects.create(
        code="sh01",
        name="人民广场店",
        thanks_text="点评我们，送一杯茶",
        thanks_text_en="Review us",
        thanks_url="https://review.example/?a=1&b=2",
    )
    submission = Submission.objects.create(satisfaction=5, branch=branch, language="zh-hans")
    for language, words in (("zh", "点评我们，送一杯茶"), ("en", "Review us")):
        page = client.get(f"/thanks/{submission.reference}?lang={language}").content.decode()
        assert f'<a class="action" href="https://review.example/?a=1&amp;b=2" rel="noopener">{words}</a>' in page
        assert '<p class="chain">面馆</p><p class="branch">人民广场店</p>' in page
    Branch.objects.update(thanks_url="")
    assert "点评我们，送一杯茶</p>" in client.get(f"/thanks/{submission.reference}?lang=zh").content.decode()


@pytest.mark.parametrize("address", ["http://review.example", "javascript:alert(1)", "review"])
def test_a_link_under_the_thanks_is_https(address: str) -> None:
    with pytest.raises(ValidationError, match="https://example"):
        Branch(code="a", name="a", thanks_url=address).full_clean()


@pytest.mark.parametrize("prefix", ["/", "/v1/"])
def test_the_path_of_the_thank_you_page_is_that_of_its_url(prefix: str) -> None:
    set_script_prefix(prefix)
    try:
        assert thanks_path("7KQ2MXRA") == reverse("thanks", args=["7KQ2MXRA"])
    finally:
        set_script_prefix("/")
