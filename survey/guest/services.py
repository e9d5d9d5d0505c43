"""Store a submission once: a retry with the same key returns the first submission.

The unique column `key_digest` recognises the retry; survey/idempotency.py computes the digests.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection

from mydjango.mysql.deadlock import atomically
from survey import photos, term_index
from survey.guest import erase_token
from survey.idempotency import content_digest, erased_key_digests, is_same_content, key_digest
from survey.insert import insert
from survey.limits import submission_window
from survey.mail import outbox
from survey.models import FollowUpStatus, QuestionValue, RollupDay, Submission
from survey.robots import alerts
from survey.text.terms import terms_at_once

logger = logging.getLogger(__name__)


class KeyReused(Exception):
    """Raised when the key belongs to a submission with other content."""


class _ErasedBefore(Exception):
    """Raised when the key belongs to an erased submission."""


class Submitted(NamedTuple):
    """The stored submission, its erase token ('' when none erases it), and whether this was a retry."""

    submission: Submission
    erase_token: str = ""
    replayed: bool = False


def submission_create(
    submission: Submission,
    *,
    content: Mapping[str, Any],
    own_values: Mapping[int, int] | None = None,
    key: str = "",
    address: str = "",
) -> Submitted:
    """Store a submission, its values of own questions, its terms, photos and mails in one transaction, once per key.

    `content` holds the validated fields and tells a retry from another submission. `own_values` are by the questions'
    ids. `address` is the guest's network address, for the rate limit. Raises KeyReused and TooManyAttempts.
    """
    submission.own_values = dict(own_values or {})
    submission.follow_up_status = FollowUpStatus.OPEN if submission.is_low else ""
    if submission.is_low and settings.FOLLOW_UP_HOURS:
        submission.follow_up_due_at = submission.created_at + timedelta(hours=settings.FOLLOW_UP_HOURS)
    weighted, submission.terms_due = terms_at_once(submission.comment)
    submission.key_digest = key_digest(key)
    submission.content_digest = content_digest(content)
    token = erase_token.new_token(key)
    submission.erase_token_digest = erase_token.digest(token)
    try:
        atomically(lambda: _store(submission, weighted, address, content.get("photos", ())))
    except (IntegrityError, _ErasedBefore):
        # The unique column decides, not a query beforehand: of twenty concurrent attempts nineteen come here.
        digest = submission.key_digest
        digests = [digest, *erased_key_digests(digest)] if digest else []
        first = Submission.objects.filter(key_digest__in=digests).first()
        if first is None:
            raise
        # After an erasure there is no content left to compare with.
        if first.erased_at is None and not is_same_content(content, first.content_digest):
            raise KeyReused from None
        logger.info("submission.replayed", extra={"submission": first.pk})
        return Submitted(first, erase_token.replayed_token(key, first), replayed=True)
    logger.info("submission.accepted", extra={"submission": submission.pk, "receipt": bool(submission.email)})
    return Submitted(submission, token)


def is_stored(key: str) -> bool:
    """Return whether a submission with this key is stored, of which the next one would be a retry."""
    return bool(key) and Submission.objects.filter(key_digest=key_digest(key)).exists()


def _store(submission: Submission, weighted: Mapping[str, float], address: str, photo_keys: Sequence[str]) -> None:
    insert([submission])
    if submission.own_values:
        insert(
            [
                QuestionValue(submission=submission, question_id=question, value=value)
                for question, value in submission.own_values.items()
            ]
        )
    term_index.write([(submission, weighted)])
    photos.attach(submission, photo_keys)
    # Nobody is told of most submissions, and a cold start then imports neither module.
    if submission.email or submission.is_low:
        outbox.queue_mails(submission)
        alerts.queue_alerts(submission)
    # After the INSERT, which waits for a concurrent erasure to replace the digest of the first submission.
    erased, counted, values = _conditions(submission)
    window = submission_window(address, submission)
    if window and window.count_in_open(f"AND NOT {erased} AND NOT {counted}", values):
        return  # as most submissions do: one statement, since each is a round trip
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {erased}, {counted}", values)
        is_erased, is_counted = cursor.fetchone()
    if is_erased:
        raise _ErasedBefore
    if is_counted:
        RollupDay.mark_late(submission.local_date)
    if window:
        window.open_and_count()


# Whether an erasure replaced the digest of a key, and whether a day is counted.
IS_ERASED = "EXISTS (SELECT 1 FROM survey_response WHERE key_digest IN ({digests}){lock})"
IS_COUNTED = "EXISTS (SELECT 1 FROM survey_rollupday WHERE local_date = %s{lock})"


def _conditions(submission: Submission) -> tuple[str, str, list[str]]:
    """Return both conditions of a submission, and their values. They wait for a count that has begun (mark_late)."""
    digests = erased_key_digests(submission.key_digest) if submission.key_digest else [""]
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    erased = IS_ERASED.format(digests=", ".join(["%s"] * len(digests)), lock=lock)
    return erased, IS_COUNTED.format(lock=lock), [*digests, submission.local_date.isoformat()]
