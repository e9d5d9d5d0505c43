"""Erase personal data from all tables; the score stays.

Every erasure calls `erase`: the nightly one by age, and those at somebody's request (survey/guest/erasure.py).
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Left, StrIndex
from django.utils import timezone

from survey import photos
from survey.idempotency import ERASED_PREFIX, erased_key_digest
from survey.models import (
    ErasureLog,
    ErasureRequest,
    ExportLog,
    FollowUpNote,
    OutgoingMail,
    Photo,
    RobotMessage,
    Submission,
    SubmissionTerm,
)

logger = logging.getLogger(__name__)

JOB = "erase_responses"  # in JobRun; the release before reads it under this name
BATCH = 500  # submissions per transaction: locks are short, and a killed job keeps the batches that it finished

# The values that replace personal data in a submission. A test compares the names with the model's fields.
ERASED_VALUES: dict[str, str | bool | None] = {
    **dict.fromkeys(("name", "phone", "email", "comment", "content_digest", "erase_token_digest"), ""),
    "terms_due": False,
    "table_number": None,
}
# Every other table with words of the guest or about the guest: its rows are deleted.
DELETED_MODELS = (OutgoingMail, RobotMessage, FollowUpNote, SubmissionTerm, ErasureRequest)
# The tables of these whose rows may be written after the erasure. Terms, the one large table, are not: the job that
# writes them locks the submission, and an erased submission has no comment.
WRITTEN_LATER = (OutgoingMail, RobotMessage, FollowUpNote, ErasureRequest)


def erase(submissions: QuerySet[Submission], event: ErasureLog.Event | None = None, user: User | None = None) -> int:
    """Erase the personal data of submissions from all tables. Return how many were not erased before.

    Log `event` and `user` for each submission; without an event, as for erasures by age, log nothing.

    Score, aspects, branch, date and reference stay. A keyed digest replaces that of the key, so that a late retry is
    still recognised. Rows written about a submission after its erasure are deleted as well.
    """
    erased = 0
    due = submissions.filter(erased_at=None).order_by("pk")
    while ids := list(due.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            # Select again under a lock, so that concurrent erasures count once; by key, so that no other row is locked.
            locked = Submission.objects.select_for_update().filter(pk__in=ids, erased_at=None)
            rows = list(locked.order_by("pk").only("pk", "key_digest"))
            ids = [submission.pk for submission in rows]
            # The submission first: a delivery that claims one of its mails meanwhile sees the erasure.
            Submission.objects.filter(pk__in=ids).update(**ERASED_VALUES, erased_at=timezone.now())
            _replace_key_digests(rows)
            for model in DELETED_MODELS:
                model.objects.filter(submission__in=ids).delete()
            photos.queue_deletion(Photo.objects.filter(submission__in=ids))
            if event:
                ErasureLog.objects.bulk_create(ErasureLog(submission_id=pk, event=event, user=user) for pk in ids)
        erased += len(ids)
        logger.info("submissions.erased", extra={"count": len(ids), "event": event})
    for model in WRITTEN_LATER:
        late = model.objects.filter(submission__in=submissions, submission__erased_at__isnull=False)
        # By key: a DELETE with a join would lock every row that it reads.
        while keys := list(late.values_list("pk", flat=True)[:BATCH]):
            model.objects.filter(pk__in=keys).delete()
    return erased


def _replace_key_digests(submissions: list[Submission]) -> None:
    with_key = [submission for submission in submissions if submission.key_digest]
    for submission in with_key:
        submission.key_digest = erased_key_digest(str(submission.key_digest))
    Submission.objects.bulk_update(with_key, ["key_digest"])


def replace_unkeyed_digests() -> None:
    """Replace the key digests of submissions that the release before erased, which left them unkeyed."""
    left = Submission.objects.filter(erased_at__isnull=False, key_digest__isnull=False)
    left = left.exclude(key_digest__startswith=ERASED_PREFIX).order_by("pk").only("pk", "key_digest")
    pk = 0
    while rows := list(left.filter(pk__gt=pk)[:BATCH]):
        _replace_key_digests(rows)
        pk = rows[-1].pk


def delete_searched_words(before: datetime) -> None:
    """Delete the words that exports before the given time searched for, often names; their name `q` stays."""
    old = ExportLog.objects.filter(created_at__lt=before, filters__contains=ExportLog.BEFORE_WORDS)
    old.update(filters=Left("filters", StrIndex("filters", Value(ExportLog.BEFORE_WORDS)) + len("q")))


def delete_account_mails(before: datetime) -> None:
    """Delete the mails to staff accounts that were queued before the given time."""
    kinds = (OutgoingMail.Kind.ACCOUNT, OutgoingMail.Kind.DIGEST)
    OutgoingMail.objects.filter(kind__in=kinds, created_at__lt=before).delete()


def delete_unmatched_requests() -> None:
    """Delete the requests for erasure that matched no submission."""
    ErasureRequest.objects.filter(submission=None).delete()
