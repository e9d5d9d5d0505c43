"""The release before runs on today's tables, while a deployment runs and after a rollback, and loses nothing there.

statements.json.xz holds the SQL that its code sent for submissions, mails, erasures, figures and the pages of staff.
"""

from __future__ import annotations

import json
import lzma
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from survey.jobs import rollup
from survey.mail import outbox
from survey.models import Branch, ErasureLog, FollowUpNote, OutgoingMail, RollupDay, Submission, SubmissionTerm
from survey.staff import figures, statements
from survey.staff.filters import Filters

pytestmark = pytest.mark.django_db

FILE = Path(__file__).parent / "release_before" / "statements.json.xz"
RECORDED: dict[str, Any] = json.loads(lzma.decompress(FILE.read_bytes()))[connection.vendor]
REFERENCES: dict[str, str] = RECORDED["references"]
GIVEN: dict[str, dict[str, Any]] = RECORDED["given"]
MARCH = Filters(start=date(2025, 3, 1), end=date(2025, 3, 31), branch_ids=None)
NEXT_DAY = datetime(2025, 3, 13, 12, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def run(settings: LazySettings) -> None:
    """Send every statement of the release before to today's tables, and compare its effect."""
    settings.SECRET_KEY = "recorded"
    keys: dict[int, int] = {}  # of a recorded row: of today's
    with connection.cursor() as cursor:
        for statement in RECORDED["statements"]:
            sql, params = statement["sql"], [keys.get(value, value) for value in statement["params"]]
            if "error" in statement:
                with pytest.raises(IntegrityError), transaction.atomic():
                    cursor.execute(sql, params)
                continue
            cursor.execute(sql, params)
            if "rows" in statement:
                assert cursor.rowcount == statement["rows"], sql
            if "key" in statement:
                keys[statement["key"]] = cursor.fetchall()[-1][0] if " RETURNING " in sql else cursor.lastrowid


def stored(name: str) -> Submission:
    return Submission.objects.get(reference=REFERENCES[name])


def find(client: Client, words: str) -> set[str]:
    """Return the names of the submissions that a search of the staff finds."""
    page = client.get("/dashboard/comments/", {"start": "2025-03-01", "end": "2025-03-31", "q": words}).content.decode()
    return {name for name, reference in REFERENCES.items() if reference in page}


@pytest.fixture
def staff(run: None, client: Client) -> Client:
    """The browser of somebody who logged in before the deployment."""
    connection.cursor().execute("UPDATE django_session SET expire_date = '9999-01-01 00:00:00'")
    client.cookies["sessionid"] = RECORDED["session"]
    return client


def test_no_table_and_no_column_is_gone() -> None:
    with connection.cursor() as cursor:
        for table, before in RECORDED["tables"].items():
            columns = {column.name for column in connection.introspection.get_table_description(cursor, table)}
            assert set(before["columns"]) <= columns, table


def test_a_new_column_has_a_default_in_the_database() -> None:
    with connection.cursor() as cursor:
        for table, before in RECORDED["tables"].items():
            for column in connection.introspection.get_table_description(cursor, table):
                has_value = column.null_ok or column.default is not None
                assert has_value or column.name in before["columns"], f"{table}.{column.name} needs db_default"


def test_no_new_constraint_can_refuse_its_rows() -> None:
    with connection.cursor() as cursor:
        for table, before in RECORDED["tables"].items():
            known = {frozenset(columns) for columns in before["constraints"]}
            for name, constraint in connection.introspection.get_constraints(cursor, table).items():
                if constraint["unique"] or constraint["check"]:
                    assert frozenset(constraint["columns"]) in known, f"{name} of {table}"


@pytest.mark.usefixtures("run")
def test_a_retry_that_a_deployment_overtakes_is_recognised(client: Client) -> None:
    before = Submission.objects.count()
    for name in ("minimal", "full", "erased", "old"):
        page = client.post("/submitSurvey?lang=en", GIVEN[name])
        assert (page.status_code, REFERENCES[name] in page["Location"]) == (302, True)
    assert Submission.objects.count() == before
    changed = client.post("/submitSurvey?lang=en", {**GIVEN["full"], "satisfaction": "5"})
    assert changed.status_code == 422


@pytest.mark.usefixtures("run")
def test_its_submissions_are_in_the_figures_before_and_after_a_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NEXT_DAY)
    before = statements.run(figures.figures(MARCH))
    assert before.now.scores == [3, 0, 0, 1, 1]
    assert RollupDay.objects.count() == 11  # as the release before counted them
    rollup.count_days(60)
    assert RollupDay.objects.filter(is_final=True).exists()
    assert statements.run(figures.figures(MARCH)) == before


def test_its_comments_are_found(staff: Client) -> None:
    assert find(staff, "服务员") == {"full"}
    assert find(staff, "soup cold") == {"full"}
    assert find(staff, "不干净") == find(staff, "太咸") == set()  # erased


def test_a_session_that_it_opened_and_what_staff_wrote_go_on(staff: Client) -> None:
    page = staff.get(f"/dashboard/responses/{REFERENCES['full']}/").content.decode()
    assert "王芳 called back" in page
    assert stored("full").follow_up_status == "contacted"
    assert not Branch.objects.get(code="south").is_open


@pytest.mark.usefixtures("run")
def test_its_mails_are_sent_once(mailoutbox: list[EmailMessage]) -> None:
    assert set(OutgoingMail.objects.filter(submission=stored("full")).values_list("kind", "status")) == {
        ("receipt", "sent"),
        ("alert", "sent"),
    }
    outbox.deliver(60)
    # An invitation and a new password, each with a link that today's code makes.
    assert sorted(mail.to[0] for mail in mailoutbox) == ["head@example.com", "li@example.com"]
    assert not OutgoingMail.objects.exclude(status="sent").exists()


def test_an_erasure_leaves_nothing_whichever_release_runs_it(run: None) -> None:
    call_command("erase_submissions", reference=REFERENCES["full"], stdout=StringIO())
    assert ErasureLog.objects.count() == 1
    for name in ("old", "erased", "full"):
        submission = stored(name)
        assert submission.erased_at is not None
        assert submission.satisfaction == 1
        assert not any((submission.name, submission.phone, submission.email, submission.comment))
        for model in (OutgoingMail, FollowUpNote, SubmissionTerm):
            assert not model.objects.filter(submission=submission).exists()
