"""The number of a table or receipt comes with the QR code, stays with the visit, and is shown to staff."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.test import Client

from survey.mail import outbox
from survey.models import Branch, Submission
from survey.table_number import parse_table_number
from tests.support.chain import Chain, make_chain, make_submission

pytestmark = pytest.mark.django_db

GIVEN = {"name": "Tom", "phone": "1234567890", "satisfaction": 2}


@pytest.fixture
def branch() -> Branch:
    return Branch.objects.create(
        code="sh01", name="人民广场店", name_en="People's Square", manager_email="manager@example.com"
    )


@pytest.fixture
def chain() -> Chain:
    return make_chain()


def page_of(client: Client, path: str, language: str = "en", **query: str) -> str:
    return client.get(path, query or None, headers={"accept-language": language}).content.decode()


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("12", "12"),
        (" a 12 ", "A12"),
        ("Ａ－１２", "A-12"),
        ("包厢3", "包厢3"),
        ("20261122123456789012", "20261122123456789012"),
        ("", ""),
        ("1" * 33, ""),
        ("<b>", ""),
        ("=1+1", ""),
        ("12\u202e", ""),
        ("1/2", ""),
    ],
)
def test_a_number_has_one_form_and_nothing_that_could_mislead(typed: str, number: str) -> None:
    assert parse_table_number(typed) == number


def test_the_number_of_the_card_is_stored_with_the_submission(client: Client, branch: Branch) -> None:
    page = page_of(client, "/s/sh01?t=a12")
    assert 'name="table_number" value="A12"' in page
    [action] = re.findall(r'<form method="post" action="([^"]+)"', page)
    assert action == "/submitSurvey?branch=sh01&amp;t=A12"
    sent = client.post("/submitSurvey?branch=sh01&t=A12", {**GIVEN, "branch": "sh01", "table_number": "A12"})
    assert sent.status_code == 302
    assert Submission.objects.get().table_number == "A12"


@pytest.mark.parametrize("path", ["/s/sh01", "/s/sh01?t=", "/s/sh01?t=%3Cb%3E", "/?t=12"])
def test_without_a_usable_number_or_a_branch_there_is_none(client: Client, branch: Branch, path: str) -> None:
    page = page_of(client, path)
    assert 'name="table_number" value=""' in page
    assert not re.search(r'(?: action| data-draft)="[^"]*t=', page)
    client.post("/submitSurvey", {**GIVEN, "table_number": ""})
    assert Submission.objects.get().table_number is None


def test_every_link_of_the_guests_pages_keeps_branch_and_table(client: Client, branch: Branch) -> None:
    for path in ("/s/sh01?t=12&lang=en", "/privacy?branch=sh01&t=12&lang=en", "/erase?branch=sh01&t=12&lang=en"):
        links = re.findall(r'(?:href|action)="(/(?:privacy|erase|s/|submitSurvey)[^"]*)"', page_of(client, path))
        assert len(links) > 1
        assert all("t=12" in link and "sh01" in link for link in links), (path, links)
    assert 'href="/s/sh01?t=12&amp;lang=en"' in page_of(client, "/privacy?branch=sh01&t=12&lang=en")
    assert client.get("/s/sh01/?t=12&lang=en")["Location"] == "/s/sh01?t=12&lang=en"
    from_address_bar = client.get("/submitSurvey?branch=sh01&t=12", headers={"accept": "text/html"})
    assert from_address_bar["Location"] == "/s/sh01?t=12"
    thanks = client.post("/submitSurvey", {**GIVEN, "branch": "sh01", "table_number": "12"})["Location"]
    assert 'href="/privacy?branch=sh01&amp;t=12"' in page_of(client, thanks)


def test_a_redisplayed_page_keeps_the_table_without_javascript(client: Client, branch: Branch) -> None:
    posted = {"comment": "typed", "branch": "sh01", "table_number": "12"}
    for path in ("/s/sh01?t=12&lang=en", "/submitSurvey?branch=sh01&t=12", "/submitSurvey"):
        page = client.post(path, posted).content.decode()
        assert 'name="table_number" value="12"' in page
        assert "branch=sh01&amp;t=12" in page


def test_each_table_has_a_draft_of_its_own(client: Client, branch: Branch) -> None:
    drafts = [re.findall(r'data-draft="([^"]+)"', page_of(client, f"/s/sh01{query}")) for query in ("", "?t=1", "?t=2")]
    assert drafts == [["survey-sh01"], ["survey-sh01&amp;t=1"], ["survey-sh01&amp;t=2"]]
    posted = client.post("/submitSurvey?branch=sh01&t=1", {"branch": "sh01", "table_number": "1"}).content.decode()
    assert 'data-draft="survey-sh01&amp;t=1"' in posted


@pytest.mark.parametrize(("given", "status"), [("a 12", 201), ("", 201), ("<b>", 400), ("1" * 33, 400), (12, 400)])
def test_the_api_takes_a_number_or_names_the_error(client: Client, given: Any, status: int) -> None:
    response = client.post("/submitSurvey", {**GIVEN, "table_number": given}, content_type="application/json")
    assert response.status_code == status
    if status == 201:
        assert Submission.objects.get().table_number == ("A12" if given else None)
    else:
        assert list(response.json()["errors"]) == ["table_number"]


def test_the_alert_names_the_table(client: Client, branch: Branch, mailoutbox: list[EmailMessage]) -> None:
    client.post("/submitSurvey", {**GIVEN, "branch": "sh01", "table_number": "A12"})
    client.post("/submitSurvey", {**GIVEN, "branch": "sh01"})
    outbox.deliver(60)
    assert sorted("桌号或单号： A12" in str(mail.body) for mail in mailoutbox) == [False, True]


def test_staff_see_the_number_filter_by_it_and_export_it(client: Client, chain: Chain) -> None:
    at_table = make_submission(chain.north, 1, comment="太咸", table_number="A12")
    other = make_submission(chain.north, 1, comment="太辣", table_number="A1")
    client.force_login(chain.head)
    for path in ("/dashboard/comments/", "/dashboard/follow-up/"):
        page = page_of(client, path, table="ａ12")
        assert "Table or receipt A12" in page
        assert other.reference not in page
    assert "桌号或单号 A12" in page_of(client, f"/dashboard/responses/{at_table.reference}/", "zh-CN")
    response = client.get("/dashboard/export.csv", {"table": "A12"})
    assert "-A12.csv" in response["Content-Disposition"]
    header, row = (line.split(",") for line in response.getvalue().decode().splitlines())
    assert row[header.index("桌号或单号")] == "A12"
    assert "A12" in page_of(client, "/dashboard/export/")
    wrong = page_of(client, "/dashboard/comments/", table="<b>")
    assert at_table.reference in wrong
    assert 'class="error"' in wrong


def test_an_erasure_removes_the_number(chain: Chain) -> None:
    submission = make_submission(chain.north, 1, table_number="20261122123456789012")
    call_command("erase_submissions", reference=submission.reference, stdout=StringIO())
    submission.refresh_from_db()
    assert submission.erased_at is not None
    assert submission.table_number is None
