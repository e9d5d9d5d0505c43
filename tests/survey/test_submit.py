"""Submissions are validated, stored with their receipt, and acknowledged in the caller's format."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DataError, IntegrityError, transaction
from django.test import Client

from survey.guest.fields import SCALES
from survey.guest.forms import SubmissionForm
from survey.models import OutgoingMail, Submission, make_reference, parse_reference

VALID = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}

pytestmark = pytest.mark.django_db


def post(client: Client, **values: Any) -> Any:
    return client.post("/submitSurvey", {**VALID, **values}, content_type="application/json")


def test_the_documented_submission_is_stored(client: Client) -> None:
    response = post(client)
    assert response.status_code == 201
    submission = Submission.objects.get()
    token = response.json()["erase_token"]
    assert response.json() == {"id": submission.pk, "reference": submission.reference, "erase_token": token}
    assert (submission.name, submission.phone, submission.satisfaction) == ("Tom", "1234567890", 5)


def test_a_reference_is_eight_letters_and_digits_that_can_be_read_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, reference in ((0, "22222222"), (31, "33222222"), (30**8 - 1, "ZZZZZZZZ")):
        monkeypatch.setattr("secrets.randbelow", {30**8: number}.get)
        assert make_reference() == parse_reference(reference) == reference


def test_emoji_are_stored_and_read(client: Client) -> None:
    post(client, name="王芳🍜", comment="好吃😋 𠮷")
    submission = Submission.objects.get()
    assert (submission.name, submission.comment) == ("王芳🍜", "好吃😋 𠮷")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("satisfaction", 0),
        ("satisfaction", 6),
        ("satisfaction", "5"),
        ("satisfaction", True),
        ("satisfaction", 4.5),
        ("satisfaction", None),
        ("name", ""),
        ("name", " "),
        ("name", "\u200b\u2060 \ufeff"),
        ("name", 5),
        ("name", "x" * 65),
        ("phone", "12"),
        ("phone", "call me"),
        ("email", "no address"),
        ("comment", "x" * 2001),
        ("comment", "a\x00b"),
        ("coment", "a typing mistake in a field's name"),
    ],
)
def test_an_error_names_its_field_and_stores_nothing(client: Client, field: str, value: Any) -> None:
    response = post(client, **{field: value})
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert list(response.json()["errors"]) == [field]
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b'{"name": NaN}', b'"\xff"', b'{"name": "\\ud800"}', b"[" * 100_000]
)
def test_a_body_that_is_no_json_object_is_400(client: Client, body: bytes) -> None:
    response = client.generic("POST", "/submitSurvey", body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_a_receipt_is_queued_with_the_submission(client: Client) -> None:
    post(client, email="wang@example.com")
    mail = OutgoingMail.objects.get()
    assert (mail.recipient, mail.status) == ("wang@example.com", "queued")
    assert Submission.objects.get().reference in mail.body


def test_a_form_gets_a_redirect_to_the_thanks(client: Client) -> None:
    response = client.post("/submitSurvey", VALID)
    reference = Submission.objects.get().reference
    assert (response.status_code, response["Location"]) == (302, f"/thanks/{reference}")
    assert reference in client.get(response["Location"]).content.decode()


def test_a_form_with_errors_is_redisplayed_with_its_values(client: Client) -> None:
    response = client.post("/submitSurvey", {"name": "<王芳>", "phone": "12", "comment": "好吃"})
    page = response.content.decode()
    assert response.status_code == 400
    assert "&lt;王芳&gt;" in page
    assert "好吃" in page
    assert response.context["form"].errors.keys() == {"phone", "satisfaction"}
    assert 'aria-invalid="true"' in page


@pytest.mark.parametrize("line_break", ["\r\n", "\r", "\n"])
def test_a_line_break_counts_as_one_character_however_it_is_sent(client: Client, line_break: str) -> None:
    comment = f"a{line_break}" * 999 + "ab"
    assert client.post("/submitSurvey", {**VALID, "comment": comment}).status_code == 302
    assert post(client, comment=comment).status_code == 201
    assert {submission.comment for submission in Submission.objects.all()} == {"a\n" * 999 + "ab"}
    assert client.post("/submitSurvey", {**VALID, "comment": f"{comment}b"}).status_code == 400


def test_a_form_that_accepts_json_gets_json(client: Client) -> None:
    response = client.post("/submitSurvey", VALID, headers={"accept": "application/json"})
    assert response.status_code == 201
    response = client.post("/submitSurvey", {"name": "Tom"}, headers={"accept": "application/json"})
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")


def test_full_width_digits_of_a_chinese_keyboard_are_a_phone_number(client: Client) -> None:
    fullwidth = "\uff0b" + "".join(chr(ord(digit) + 0xFEE0) for digit in "8613800138000")
    assert post(client, phone=fullwidth).status_code == 201
    assert Submission.objects.get().phone == "+8613800138000"


def test_errors_are_in_the_guests_language(client: Client) -> None:
    def error(language: str) -> str:
        response = client.post(
            "/submitSurvey",
            {**VALID, "phone": "12"},
            content_type="application/json",
            headers={"accept-language": language},
        )
        return response.json()["errors"]["phone"][0]

    assert "phone number" in error("en")
    assert "电话号码" in error("zh-CN")


@pytest.mark.parametrize(
    ("field", "value", "chinese", "english"),
    [
        ("name", "", "请填写此项。", "Please fill this in."),
        ("name", "x" * 65, "最多可填 64 个字符", "at most 64 characters; you used 65."),
        ("phone", "1" * 41, "最多可填 40 个字符", "at most 40 characters; you used 41."),
        ("comment", "x" * 2001, "最多可填 2000 个字符", "at most 2000 characters; you used 2001."),
        ("email", "tom@", "请检查电子邮箱", "Please check the e-mail address"),
    ],
)
def test_errors_are_worded_for_guests(client: Client, field: str, value: str, chinese: str, english: str) -> None:
    for language, sentence in ("zh", chinese), ("en", english):
        response = client.post(f"/submitSurvey?lang={language}", {**VALID, field: value})
        [error] = response.context["form"].errors[field]
        assert sentence in error


def test_other_media_types_are_415(client: Client) -> None:
    assert client.post("/submitSurvey", b"<a/>", content_type="application/xml").status_code == 415


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(("query", "page"), [("", "/"), ("?lang=en", "/?lang=en")])
def test_a_browser_that_opens_the_address_of_submissions_is_sent_to_the_survey(
    client: Client, query: str, page: str
) -> None:
    response = client.get(f"/submitSurvey{query}", headers={"accept": BROWSER})
    assert (response.status_code, response["Location"]) == (302, page)


@pytest.mark.parametrize(
    ("method", "accept"), [("get", "*/*"), ("get", "application/json"), ("get", ""), ("put", BROWSER)]
)
def test_the_address_of_submissions_takes_only_post_from_other_clients(
    client: Client, method: str, accept: str
) -> None:
    response = getattr(client, method)("/submitSurvey", headers={"accept": accept})
    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_a_script_without_a_session_may_post(client: Client) -> None:
    response = Client(enforce_csrf_checks=True).post("/submitSurvey", VALID, content_type="application/json")
    assert response.status_code == 201


def test_the_page_is_never_cached(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]


def test_validating_a_submission_sends_no_query(django_assert_num_queries: Any) -> None:
    """The constraints decide at the INSERT; Django's form would query the database for each of them first."""
    with django_assert_num_queries(0):
        assert SubmissionForm({**VALID, **dict.fromkeys(SCALES, 5), "problems": ["cold"]}).is_valid()


def test_validating_a_submission_of_a_branch_queries_only_the_branch(
    chain: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1) as queries:  # by its code; not once more by its key, as any foreign key
        assert SubmissionForm({**VALID, "branch": chain.north.code}).is_valid()
    assert all("survey_branch" in query["sql"] for query in queries.captured_queries)


@pytest.mark.parametrize("name", SCALES)
def test_the_form_has_the_bounds_of_the_databases_constraints(client: Client, name: str) -> None:
    """An INSERT that a constraint refuses would be a 500."""
    lowest, highest = SCALES[name]
    for score in (lowest - 1, highest + 1):
        assert post(client, **{name: score}).status_code == 400
        with pytest.raises((IntegrityError, DataError)), transaction.atomic():
            Submission.objects.create(**{**VALID, "language": "en", name: score})
    for score in (lowest, highest):
        assert post(client, **{name: score}).status_code == 201
