"""Personal data is erased when it is old or when its guest asks; scores stay."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.utils import timezone

from survey.guest import services
from survey.jobs.retention import DELETED_MODELS, ERASED_VALUES, erase
from survey.models import (
    ErasureLog,
    ErasureRequest,
    ExportLog,
    FollowUpNote,
    OutgoingMail,
    Photo,
    QuestionValue,
    Submission,
    SubmissionTerm,
)
from tests.support.processes import ROOT

pytestmark = pytest.mark.django_db

KEPT = {
    *("id", "reference", "branch", "satisfaction", "taste", "variety", "hygiene", "service", "atmosphere", "value"),
    *("recommend", "problems", "consent_version", "language", "follow_up_status", "created_at", "local_date"),
    *("follow_up_owner", "follow_up_due_at", "follow_up_closed_at"),
    *("erased_at", "escalated_at", "key_digest"),  # the digest is replaced by a keyed one
}


# Log and values hold no personal data, and scores stay. A photo's row stays until its object is deleted:
# tests/survey/test_photos.py.
KEPT_MODELS = {ErasureLog, Photo, QuestionValue}


def stored(days_ago: int = 0, **fields: Any) -> Submission:
    given = {"name": "王芳", "phone": "13800138000", "email": "wang@example.com", "comment": "太咸了", **fields}
    submission = Submission(satisfaction=2, language="zh-hans", **given)
    submission.local_date = timezone.localdate() - timedelta(days=days_ago)
    services.submission_create(submission, content=given, key=f"{days_ago}")
    author, _created = User.objects.get_or_create(username="manager")
    FollowUpNote.objects.create(submission=submission, author=author, status="open", text="王芳 called")
    ErasureRequest.objects.create(submission=submission)
    SubmissionTerm.objects.get_or_create(
        submission=submission, term="太咸", defaults={"local_date": submission.local_date, "satisfaction": 2}
    )
    return submission


def command(*arguments: str) -> str:
    output = StringIO()
    call_command("erase_submissions", *arguments, stdout=output)
    return output.getvalue()


def everything_stored() -> str:
    models: list[type[Model]] = [Submission, *DELETED_MODELS]
    return str([list(model.objects.values()) for model in models])  # type: ignore[attr-defined]


def test_every_field_is_either_erased_or_kept() -> None:
    assert {field.name for field in Submission._meta.fields} == KEPT | set(ERASED_VALUES)


def test_every_table_about_a_submission_is_deleted_or_kept_on_purpose() -> None:
    related = {relation.related_model for relation in Submission._meta.related_objects}
    assert related - KEPT_MODELS == set(DELETED_MODELS)


def test_old_submissions_lose_personal_data_and_keep_their_score() -> None:
    old, recent = stored(days_ago=31), stored(days_ago=30)
    OutgoingMail.objects.filter(submission=old).update(status=OutgoingMail.Status.SENT)
    assert "1 submissions" in command("--older-than", "30")
    old.refresh_from_db()
    assert (old.name, old.phone, old.email, old.comment, old.satisfaction) == ("", "", "", "", 2)
    assert (old.erase_token_digest, len(recent.erase_token_digest)) == ("", 64)
    assert old.erased_at is not None
    assert not any(model.objects.filter(submission=old).exists() for model in DELETED_MODELS)  # type: ignore[attr-defined]
    recent.refresh_from_db()
    assert (recent.name, recent.mails.count(), recent.notes.count()) == ("王芳", 1, 1)


def note_after_erasure(submission: Submission) -> None:
    """Store the rows that a staff page opened before the erasure can still write."""
    FollowUpNote.objects.create(submission=submission, author=User.objects.get(), text="王芳 13800138000")
    OutgoingMail.objects.create(submission=submission, recipient="wang@example.com", message_id="<late@survey>")
    ErasureRequest.objects.create(submission=submission)


def test_the_timer_also_deletes_rows_written_after_the_erasure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("survey.jobs.retention.BATCH", 1)
    old, recent = stored(days_ago=31), stored(days_ago=1)
    assert erase(Submission.objects.filter(pk=old.pk)) == 1
    for _number in range(2):
        FollowUpNote.objects.create(submission=old, author=User.objects.get(), text="王芳")
    note_after_erasure(old)
    assert "0 submissions" in command("--older-than", "30")
    assert not old.notes.exists()
    assert not old.mails.exists()
    assert not old.erasure_requests.exists()
    assert (recent.notes.count(), recent.mails.count()) == (1, 1)


def test_a_second_erasure_also_deletes_rows_written_since() -> None:
    mine, other = stored(days_ago=2), stored(days_ago=1)
    assert erase(Submission.objects.filter(pk=mine.pk)) == 1
    note_after_erasure(mine)
    assert erase(Submission.objects.filter(pk=mine.pk)) == 0
    assert set(FollowUpNote.objects.values_list("submission", flat=True)) == {other.pk}
    assert not mine.mails.exists()


def test_one_guest_by_reference() -> None:
    mine, other = stored(), stored(days_ago=1)
    full_width = {ord(character): ord(character) + 0xFEE0 for character in mine.reference}
    command("--reference", f" {mine.reference.translate(full_width).lower()} ")
    assert list(Submission.objects.filter(erased_at=None)) == [other]
    command("--reference", other.reference)
    remaining = everything_stored() + str(list(ErasureLog.objects.values()))
    assert ErasureLog.objects.count() == 2
    for personal in ("王芳", "13800138000", "wang@example.com", "太咸"):
        assert personal not in remaining


def test_a_second_run_has_nothing_to_do() -> None:
    stored(days_ago=5)
    command("--older-than", "1")
    assert "0 submissions" in command("--older-than", "1")


def test_more_submissions_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survey.jobs.retention.BATCH", 2)
    for days_ago in range(5):
        stored(days_ago)
    assert erase(Submission.objects.all()) == 5


@pytest.mark.parametrize(
    "arguments",
    [("--reference", "NOSUCH"), ("--reference", ""), ("--reference", "ÁBCDEFGH"), ("--older-than", "-1")],
)
def test_a_command_that_makes_no_sense_erases_nothing(arguments: tuple[str, ...]) -> None:
    Submission.objects.filter(pk=stored(days_ago=9).pk).update(reference="ABCDEFGH")
    with pytest.raises(CommandError):
        command(*arguments)
    assert Submission.objects.filter(erased_at=None).count() == 1


def test_mails_about_accounts_go_when_they_are_old() -> None:
    for number, days in enumerate((1, 40)):
        OutgoingMail.objects.create(
            kind=OutgoingMail.Kind.ACCOUNT,
            recipient="li@example.com",
            message_id=f"<{number}@survey>",
            created_at=timezone.now() - timedelta(days=days),
        )
    command("--older-than", "30")
    assert OutgoingMail.objects.get().message_id == "<0@survey>"


def test_an_erasure_by_age_is_not_in_the_log() -> None:
    stored(days_ago=5)
    command("--older-than", "1")
    assert not ErasureLog.objects.exists()


def test_without_a_number_the_setting_decides(settings: LazySettings) -> None:
    settings.RETENTION_DAYS = 30
    old, recent = stored(days_ago=31), stored(days_ago=30)
    assert "1 submissions" in command()
    assert list(Submission.objects.filter(erased_at=None)) == [recent]
    assert not old.mails.exists()


@pytest.mark.parametrize("path", ["serverless.yml", "deploy/aws/template.yaml", "deploy/aliyun/s.yaml"])
@pytest.mark.parametrize("days", [30, 400])
def test_the_setting_decides_whatever_number_a_deployed_timer_has(settings: LazySettings, path: str, days: int) -> None:
    """The release before requires the number, and a rollback leaves the timers as they are."""
    settings.RETENTION_DAYS = days
    stored(days_ago=days + 1)
    recent = stored(days_ago=days)
    [message] = re.findall(r"erase_responses --older-than[= ]\d+", (ROOT / path).read_text(encoding="utf-8"))
    name, *arguments = re.split("[= ]", message)
    output = StringIO()
    call_command(name, *arguments, stdout=output)
    assert "1 submissions" in output.getvalue()
    assert list(Submission.objects.filter(erased_at=None)) == [recent]


@pytest.mark.parametrize("name", ["erase_submissions", "erase_responses"])  # the latter is the timers'
def test_the_nightly_run_deletes_expired_sessions_and_nobodys_else(name: str) -> None:
    sessions = {}
    for hours in (-1, 1):
        session = SessionStore()
        session.set_expiry(timezone.now() + timedelta(hours=hours))
        session.create()
        sessions[hours] = session.session_key
    command("--reference", stored().reference)
    assert Session.objects.count() == 2
    call_command(name, stdout=StringIO())
    assert [session.pk for session in Session.objects.all()] == [sessions[1]]


class TestWordsOfExports:
    """What staff searched for, often a name, leaves the log of exports with the comments that have it."""

    def test_old_ones_go_and_the_other_filters_stay(self, settings: LazySettings) -> None:
        settings.RETENTION_DAYS = 30
        author = User.objects.create(username="manager")
        filters = "start=2026-01-01 end=2026-01-31 branch=north"
        for days, words in ((31, " q=王芳 q=x"), (31, ""), (29, " q=王芳")):
            exported = timezone.now() - timedelta(days=days)
            ExportLog.objects.create(user=author, filters=filters + words, created_at=exported)
        for _night in range(2):
            command()
            logged = list(ExportLog.objects.order_by("pk").values_list("filters", flat=True))
            assert logged == [f"{filters} q", filters, f"{filters} q=王芳"]


class TestKeyDigest:
    """A key that somebody can guess, such as a phone number, is not found by its SHA-256 after the erasure."""

    def unkeyed(self, submission: Submission) -> str:
        return hashlib.sha256(str((timezone.localdate() - submission.local_date).days).encode()).hexdigest()

    def test_an_erasure_replaces_the_unkeyed_digest(self) -> None:
        mine, other = stored(days_ago=1), stored(days_ago=2)
        assert mine.key_digest == self.unkeyed(mine)  # as the release before stores and looks for it
        erase(Submission.objects.filter(pk=mine.pk))
        mine.refresh_from_db()
        other.refresh_from_db()
        assert mine.key_digest is not None
        assert self.unkeyed(mine) not in mine.key_digest
        assert other.key_digest == self.unkeyed(other)

    def test_without_a_key_there_is_no_digest(self) -> None:
        submissions = [Submission.objects.create(satisfaction=2, language="en") for _number in range(2)]
        assert erase(Submission.objects.all()) == 2
        assert not Submission.objects.filter(pk__in=[one.pk for one in submissions]).exclude(key_digest=None).exists()

    def test_the_timer_replaces_those_that_the_release_before_left(
        self, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("survey.jobs.retention.BATCH", 1)
        settings.RETENTION_DAYS = 30
        erased = [stored(days_ago=days) for days in (1, 31, 32)]  # the first at its guest's request
        Submission.objects.update(erased_at=timezone.now())
        command()
        digests = set(Submission.objects.values_list("key_digest", flat=True))
        assert len(digests) == 3
        assert not digests & {self.unkeyed(one) for one in erased}
        command()
        assert set(Submission.objects.values_list("key_digest", flat=True)) == digests
