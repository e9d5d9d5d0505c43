"""Erasures that somebody asks for: guests with their token, guests by a request that staff decide, staff themselves."""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Min, QuerySet

from survey.guest import erase_token
from survey.jobs import retention
from survey.models import ErasureLog, ErasureRequest, Submission

logger = logging.getLogger(__name__)

# A number may be given with or without its country code: 86, 0086, 00852.
COUNTRY_CODE_DIGITS = 5
NATIONAL_DIGITS = 7


def erase_with_token(submission: Submission, token: str) -> bool:
    """Erase a submission for the guest who has its token; return whether it was the token."""
    if not erase_token.erases(token, submission):
        return False
    retention.erase(_only(submission), ErasureLog.Event.TOKEN)
    return True


def request_erasure(reference: str, phone: str) -> None:
    """File a guest's request to erase the submission with this reference and phone number.

    An anonymous submission has no phone number: its reference alone is enough. Nothing is returned, and the statements
    are the same whether the details are right, so that nobody learns a phone number from the answer or from its time.
    """
    submission = Submission.objects.filter(reference=reference).only("phone", "erased_at").first()
    fits = submission and not submission.erased_at and (not submission.phone or _is_same_phone(submission.phone, phone))
    ErasureRequest.objects.create(submission=submission if fits else None)


def waiting(submissions: QuerySet[Submission]) -> QuerySet[Submission]:
    """Return those of the submissions whose guests wait for an erasure, the longest first, with `requested_at`."""
    asked = submissions.filter(erased_at=None, erasure_requests__isnull=False)
    return asked.annotate(requested_at=Min("erasure_requests__created_at")).order_by("requested_at", "pk")


def erase_by_staff(submission: Submission, user: User) -> bool:
    """Erase a submission, at the guest's request where one waits; return whether it was not erased before."""
    is_requested = ErasureRequest.objects.filter(submission=submission).exists()
    event = ErasureLog.Event.REQUEST if is_requested else ErasureLog.Event.STAFF
    return bool(retention.erase(_only(submission), event, user))


@transaction.atomic
def decline(submission: Submission, user: User) -> bool:
    """Delete the requests for a submission and log who did; return whether any was waiting."""
    deleted, _models = ErasureRequest.objects.filter(submission=submission).delete()
    if deleted:
        ErasureLog.objects.create(submission=submission, event=ErasureLog.Event.DECLINED, user=user)
        logger.info("erasure.declined", extra={"submission": submission.pk, "user": user.pk})
    return bool(deleted)


def _only(submission: Submission) -> QuerySet[Submission]:
    return Submission.objects.filter(pk=submission.pk)


def _is_same_phone(stored: str, given: str) -> bool:
    """Whether two spellings are one number: signs do not count, and either may lack the country code."""
    first, second = ("".join(filter(str.isdigit, phone)) for phone in (stored, given))
    shorter, longer = sorted((first, second), key=len)
    has_country_code = len(shorter) >= NATIONAL_DIGITS and len(longer) - len(shorter) <= COUNTRY_CODE_DIGITS
    return first == second or (has_country_code and longer.endswith(shorter))
