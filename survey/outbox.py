"""Mail: queued in the transaction of the answer it belongs to, sent outside the request."""

from __future__ import annotations

import logging
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.utils import DNS_NAME
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from survey.models import OutgoingMail, Response

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
RETRY_DELAY = timedelta(minutes=1)  # doubles with every attempt
CLAIM = timedelta(minutes=2)  # on SQLite: longer than any single mail may take


@dataclass
class Drained:
    """What one drain did: mails sent, put off, given up, and still queued afterwards."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    waiting: int = 0


def queue_receipt(response: Response) -> OutgoingMail:
    """Queue the receipt of an answer, rendered now in the guest's language."""
    with translation.override(response.language):
        body = render_to_string("survey/mail/receipt.txt", {"response": response})
        subject = _("Thank you for your answer, reference %(reference)s") % {"reference": response.reference}
    return OutgoingMail.objects.create(
        response=response,
        kind=OutgoingMail.Kind.RECEIPT,
        recipient=response.email,
        subject=subject,
        body=body,
        message_id=f"<{response.reference.lower()}.receipt@{_mail_domain()}>",
    )


def _mail_domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or str(DNS_NAME)


def drain(seconds: float) -> Drained:
    """Send what is due, oldest first, starting no mail that `seconds` may not suffice for.

    Any number of drains may run at once: each mail is locked (or, on SQLite, claimed) by one of them.
    """
    drained = Drained()
    give_up = time.monotonic() + seconds - settings.EMAIL_TIMEOUT
    while time.monotonic() < give_up:
        with _one_at_a_time():
            mail = _take()
            if mail is None:
                break
            _send(mail, drained)
    drained.waiting = OutgoingMail.objects.filter(status=OutgoingMail.Status.QUEUED).count()
    return drained


def _one_at_a_time() -> AbstractContextManager[None]:
    """A transaction that holds the row's lock while its mail is sent, where the database has row locks."""
    return transaction.atomic() if connection.features.has_select_for_update_skip_locked else nullcontext()


def _due() -> QuerySet[OutgoingMail]:
    now = timezone.now()
    return OutgoingMail.objects.filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now), status=OutgoingMail.Status.QUEUED, next_attempt_at__lte=now
    ).order_by("next_attempt_at", "id")


def _take() -> OutgoingMail | None:
    """The next mail that is due, locked or claimed; None when nothing is."""
    if connection.features.has_select_for_update_skip_locked:
        return _due().select_for_update(skip_locked=True).first()
    while (mail := _due().first()) is not None:
        if _due().filter(pk=mail.pk).update(claimed_until=timezone.now() + CLAIM):
            return mail
    return None


def _send(mail: OutgoingMail, drained: Drained) -> None:
    """Send one mail and write down how it went; a failure is kept, put off, and stops no other mail."""
    mail.attempts += 1
    mail.claimed_until = None
    message = EmailMessage(mail.subject, mail.body, to=[mail.recipient], headers={"Message-ID": mail.message_id})
    try:
        message.send()
    except OSError as error:  # SMTPException is one, as are time-outs and refused connections
        mail.last_error = f"{type(error).__name__}: {error}"
        if mail.attempts >= MAX_ATTEMPTS:
            mail.status = OutgoingMail.Status.FAILED
            drained.failed += 1
        else:
            mail.next_attempt_at = timezone.now() + RETRY_DELAY * 2 ** (mail.attempts - 1)
            drained.retried += 1
        logger.warning(
            "outbox.failed", extra={"mail": mail.pk, "attempts": mail.attempts, "error": type(error).__name__}
        )
    else:
        mail.status = OutgoingMail.Status.SENT
        mail.sent_at = timezone.now()
        mail.last_error = ""
        drained.sent += 1
    mail.save()
