"""Answers are validated, stored with their receipt, and answered in the caller's format."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from survey.models import OutgoingMail, Response

VALID = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}

pytestmark = pytest.mark.django_db


def post(client: Client, **values: Any) -> Any:
    return client.post("/submitSurvey", {**VALID, **values}, content_type="application/json")


def test_the_documented_answer_is_stored(client: Client) -> None:
    answer = post(client)
    assert answer.status_code == 201
    response = Response.objects.get()
    assert answer.json() == {"id": response.pk, "reference": response.reference}
    assert (response.name, response.phone, response.satisfaction) == ("Tom", "1234567890", 5)


def test_emoji_are_stored_and_read(client: Client) -> None:
    post(client, name="王芳🍜", comment="好吃😋 𠮷")
    response = Response.objects.get()
    assert (response.name, response.comment) == ("王芳🍜", "好吃😋 𠮷")


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
    answer = post(client, **{field: value})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert list(answer.json()["errors"]) == [field]
    assert not Response.objects.exists()


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b'{"name": NaN}', b'"\xff"', b'{"name": "\\ud800"}', b"[" * 100_000]
)
def test_a_body_that_is_no_json_object_is_400(client: Client, body: bytes) -> None:
    answer = client.generic("POST", "/submitSurvey", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_receipt_is_queued_with_the_answer(client: Client) -> None:
    post(client, email="wang@example.com")
    mail = OutgoingMail.objects.get()
    assert (mail.recipient, mail.status) == ("wang@example.com", "queued")
    assert Response.objects.get().reference in mail.body
