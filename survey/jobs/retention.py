"""Personal data is removed when it is old, or when somebody asks (`erasure`); the score stays."""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from survey.models import ErasureLog, ErasureRequest, FollowUpNote, OutgoingMail, Submission, SubmissionTerm

logger = logging.getLogger(__name__)

JOB = "erase_responses"
BATCH = 500  # answers a transaction: short locks, and a job that is ended keeps what it has done

# What an answer's row loses. A test holds this list against the model: a new field must be on one side or the other.
ERASED_VALUES: dict[str, str | bool] = {
    **dict.fromkeys(("name", "phone", "email", "comment", "content_digest", "erase_token_digest"), ""),
    "terms_due": False,
}
# What is deleted with it: everything else that holds words of the guest or about the guest.
DELETED_MODELS = (OutgoingMail, FollowUpNote, SubmissionTerm, ErasureRequest)
# Of these, what may have been stored after its answer was erased. Not words, the one large table: what writes them
# locks the answer, and an erased one has none.
WRITTEN_LATER = (OutgoingMail, FollowUpNote, ErasureRequest)


def erase(submissions: QuerySet[Submission], event: ErasureLog.Event | None = None, user: User | None = None) -> int:
    """Remove the personal data of these submissions everywhere it went; return how many were not erased before.

    `event` and `user` are logged for each of them; without an event, as by age, nothing is.

    The score, the aspects, the branch, the date and the reference stay; so does the digest of the key, by which a late
    retry is still recognised. What was written about submissions that were erased before goes too.
    """
    erased = 0
    due = submissions.filter(erased_at=None).order_by("pk")
    while ids := list(due.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            # Looked at again under a lock, by key so that nothing else is locked: two erasures at once are one.
            locked = Submission.objects.select_for_update().filter(pk__in=ids, erased_at=None)
            ids = list(locked.order_by("pk").values_list("pk", flat=True))
            # The submission first: a drain that takes one of its mails meanwhile sees that it was erased.
            Submission.objects.filter(pk__in=ids).update(**ERASED_VALUES, erased_at=timezone.now())
            for model in DELETED_MODELS:
                model.objects.filter(submission__in=ids).delete()
            if event:
                ErasureLog.objects.bulk_create(ErasureLog(submission_id=pk, event=event, user=user) for pk in ids)
        erased += len(ids)
        logger.info("submissions.erased", extra={"count": len(ids), "event": event})
    for model in WRITTEN_LATER:
        late = model.objects.filter(submission__in=submissions, submission__erased_at__isnull=False)
        # Keys first: a DELETE with a join would lock every row that it reads.
        while keys := list(late.values_list("pk", flat=True)[:BATCH]):
            model.objects.filter(pk__in=keys).delete()
    return erased


def forget_account_mails(before: datetime) -> None:
    """Delete mails about staff accounts that were queued before."""
    OutgoingMail.objects.filter(kind=OutgoingMail.Kind.ACCOUNT, created_at__lt=before).delete()


def forget_unmatched_requests() -> None:
    """Delete the requests for an erasure that fit no submission."""
    ErasureRequest.objects.filter(submission=None).delete()
