"""The digest: a mail of the morning with yesterday's figures, to staff who want it, once a day."""

from __future__ import annotations

import logging
import time
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from survey.mail import outbox
from survey.models import DigestSubscription, OutgoingMail
from survey.staff import submissions, today
from survey.staff.access import is_head_office, named_branches, submissions_of

logger = logging.getLogger(__name__)

MORNING = range(8, 12)  # hours of the local day; a mail of the evening is no digest of the morning


def queue_digests(seconds: float, now: datetime) -> int:
    """Queue the digests that are due, starting none after `seconds`. Return their number.

    Any number of timers may call this at once. Raises the last error after the other digests are queued.
    """
    deadline = time.monotonic() + seconds
    local = timezone.localtime(now)
    if local.hour not in MORNING:
        return 0
    queued = 0
    failure: Exception | None = None
    for subscription in list(_due(local.date())):
        if time.monotonic() >= deadline:
            break
        try:
            queued += _queue_one(subscription, now)
        except Exception as error:  # the others get theirs; this one is due again with the next timer
            logger.exception("digest.failed", extra={"user": subscription.user_id})
            failure = error
    if queued:
        logger.info("digest.queued", extra={"count": queued})
    if failure:
        raise failure
    return queued


def _due(day: date) -> QuerySet[DigestSubscription]:
    due = DigestSubscription.objects.filter(_not_queued(day), user__is_active=True)
    return due.exclude(user__email="").select_related("user").order_by("pk")


def _not_queued(day: date) -> Q:
    return Q(queued_on=None) | Q(queued_on__lt=day)


@transaction.atomic
def _queue_one(subscription: DigestSubscription, now: datetime) -> bool:
    """Queue one digest. Return False where another timer has, or the account has no branch any more."""
    day, user = timezone.localdate(now), subscription.user
    # The row stays locked until the mail is stored: a second timer waits here, and finds nothing to do afterwards.
    if not DigestSubscription.objects.filter(_not_queued(day), pk=subscription.pk).update(queued_on=day):
        return False
    is_head = is_head_office(user)
    with translation.override(subscription.language):
        branches = named_branches(user)
        if not (branches or is_head):
            return False
        summary = today.summary(today.everything(branches, is_head), branches, now)
        context = {
            "summary": summary,
            "day": summary.yesterday,
            "open_count": submissions.count_open(submissions_of(user)),
            "many": submissions.MANY,
            "link": _link("dashboard:today"),
            "account_link": _link("dashboard:account"),
        }
        outbox.queue(
            OutgoingMail.Kind.DIGEST,
            user.email,
            _subject(summary.yesterday),
            render_to_string("mail/digest.txt", context),
            unique=f"digest-{user.pk}-{day.isoformat()}",
            account=user,
        )
    return True


def _subject(yesterday: today.Day) -> str:
    if yesterday.csat is None:
        return _("Yesterday: no answers")
    csat = yesterday.csat
    text = ngettext(
        "Yesterday: %(csat)s of %(n)s guest satisfied", "Yesterday: %(csat)s of %(n)s guests satisfied", csat.n
    )
    return text % {"csat": f"{csat.value:.1%}", "n": csat.n}


def _link(name: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name)}" if settings.PUBLIC_URL else ""
