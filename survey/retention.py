"""Personal data is removed when it is old, or when its guest asks; the score stays."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from survey.models import FollowUpNote, OutgoingMail, Response, ResponseTerm

logger = logging.getLogger(__name__)

CHORE = "erase_responses"
BATCH = 500  # answers a transaction: short locks, and a job that is ended keeps what it has done

# A number may be given with or without its country code: 86, 0086, 00852.
COUNTRY_CODE_DIGITS = 5
NATIONAL_DIGITS = 7

# What an answer's row loses. A test holds this list against the model: a new field must be on one side or the other.
ERASED_VALUES: dict[str, str | bool] = {
    **dict.fromkeys(("name", "phone", "email", "comment", "content_digest"), ""),
    "terms_due": False,
}
# What is deleted with it: everything else that holds words of the guest or about the guest.
DELETED_MODELS = (OutgoingMail, FollowUpNote, ResponseTerm)
# Of these, what may have been stored after its answer was erased. Not words, the one large table: what writes them
# locks the answer, and an erased one has none.
WRITTEN_LATER = (OutgoingMail, FollowUpNote)


def erase(responses: QuerySet[Response]) -> int:
    """Remove the personal data of these answers everywhere it went; returns how many answers were not erased before.

    The score, the aspects, the branch, the date and the reference stay; so does the digest of the key, by which a late
    retry is still recognised. What was written about answers that were erased before goes too.
    """
    erased = 0
    due = responses.filter(erased_at=None).order_by("pk")
    while ids := list(due.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            # The answer first: a drain that takes one of its mails meanwhile sees that it was erased.
            Response.objects.filter(pk__in=ids).update(**ERASED_VALUES, erased_at=timezone.now())
            for model in DELETED_MODELS:
                model.objects.filter(response__in=ids).delete()
        erased += len(ids)
        logger.info("responses.erased", extra={"count": len(ids)})
    for model in WRITTEN_LATER:
        late = model.objects.filter(response__in=responses, response__erased_at__isnull=False)
        # Keys first: a DELETE with a join would lock every row that it reads.
        while keys := list(late.values_list("pk", flat=True)[:BATCH]):
            model.objects.filter(pk__in=keys).delete()
    return erased


def forget_account_mails(before: datetime) -> None:
    """Delete mails about staff accounts that were queued before."""
    OutgoingMail.objects.filter(kind=OutgoingMail.Kind.ACCOUNT, created_at__lt=before).delete()


def erase_for_guest(reference: str, phone: str) -> bool:
    """Erase the answer with this reference and phone number; False when there is none.

    An anonymous answer has no phone number: there the reference, which only its guest was shown, is enough. An answer
    that is erased already counts as found, so that a second tap is no error; it has no phone number left to compare.
    """
    response = Response.objects.filter(reference=reference).first()
    if response is None or (response.phone and not _is_same_phone(response.phone, phone)):
        return False
    erase(Response.objects.filter(pk=response.pk))
    return True


def _is_same_phone(stored: str, given: str) -> bool:
    """Whether two spellings are one number: signs do not count, and either may lack the country code."""
    first, second = ("".join(filter(str.isdigit, phone)) for phone in (stored, given))
    shorter, longer = sorted((first, second), key=len)
    has_country_code = len(shorter) >= NATIONAL_DIGITS and len(longer) - len(shorter) <= COUNTRY_CODE_DIGITS
    return first == second or (has_country_code and longer.endswith(shorter))
