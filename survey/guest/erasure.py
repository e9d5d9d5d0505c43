"""Erasures at somebody's request: by guests with a token, by guests through staff, by staff.

The functions decide and log who may have a submission erased; survey/jobs/retention.py erases.
"""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Min, QuerySet

from survey.jobs import retention
from survey.models import ErasureLog, ErasureRequest, Submission

logger = logging.getLogger(__name__)

# Phone numbers match with and without a country code such as 86, 0086 or 00852.
COUNTRY_CODE_DIGITS = 5
NATIONAL_DIGITS = 7


def erase_by_guest(submission: Submission) -> None:
    """Erase a submission whose token the guest has."""
    retention.erase(Submission.objects.filter(pk=submission.pk), ErasureLog.Event.TOKEN)


def request_erasure(reference: str, phone: str) -> None:
    """Store a guest's request to erase the submission with this reference and phone number.

    The reference alone suffices for an anonymous submission, which has no phone number. Right and wrong details run the
    same statements and return nothing, so that nobody learns a phone number from the response or its time.
    """
    found = Submission.objects.filter(reference=reference).only("phone", "erased_at").first()
    matches = found and not found.erased_at and (not found.phone or _is_same_phone(found.phone, phone))
    ErasureRequest.objects.create(submission=found if matches else None)


def waiting(submissions: QuerySet[Submission]) -> QuerySet[Submission]:
    """Return the submissions with a pending request, oldest request first, annotated with `requested_at`."""
    asked = submissions.filter(erased_at=None, erasure_requests__isnull=False)
    return asked.annotate(requested_at=Min("erasure_requests__created_at")).order_by("requested_at", "pk")


def erase_by_staff(submission: Submission, user: User) -> bool:
    """Erase a submission, at the guest's request if one is pending. Return whether it was not erased before."""
    is_requested = ErasureRequest.objects.filter(submission=submission).exists()
    event = ErasureLog.Event.REQUEST if is_requested else ErasureLog.Event.STAFF
    return bool(retention.erase(Submission.objects.filter(pk=submission.pk), event, user))


@transaction.atomic
def decline(submission: Submission, user: User) -> bool:
    """Delete the pending requests for a submission and log the user. Return whether there were any."""
    deleted, _models = ErasureRequest.objects.filter(submission=submission).delete()
    if deleted:
        ErasureLog.objects.create(submission=submission, event=ErasureLog.Event.DECLINED, user=user)
        logger.info("erasure.declined", extra={"submission": submission.pk, "user": user.pk})
    return bool(deleted)


def _is_same_phone(stored: str, given: str) -> bool:
    """Compare phone numbers by their digits; either may lack the country code."""
    first, second = ("".join(filter(str.isdigit, phone)) for phone in (stored, given))
    shorter, longer = sorted((first, second), key=len)
    has_country_code = len(shorter) >= NATIONAL_DIGITS and len(longer) - len(shorter) <= COUNTRY_CODE_DIGITS
    return first == second or (has_country_code and longer.endswith(shorter))
