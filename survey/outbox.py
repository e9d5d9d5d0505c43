"""Mail: queued in the transaction of what it belongs to, sent outside the request."""

from __future__ import annotations

import logging
import random
import smtplib
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.utils import DNS_NAME
from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from mydjango.language import PARAMETER, short_code
from survey.models import Chore, OutgoingMail, Response

logger = logging.getLogger(__name__)

CHORE = "drain_outbox"
FIRST_DELAY = timedelta(minutes=1)  # doubles with every attempt
LONGEST_DELAY = timedelta(hours=4)
JITTER = 0.2  # of the delay, either way: what failed together does not come back together


@dataclass
class Drained:
    """What one drain did: mails sent, put off, given up, deleted unsent, and still queued afterwards."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    deleted: int = 0
    waiting: int = 0


class Queue(NamedTuple):
    """How many mails wait, since when the oldest one that is due does, and how many were given up."""

    queued: int
    due_since: datetime | None
    failed: int


def queue_mails(response: Response) -> None:
    """Queue what an answer leads to: a receipt for the guest, an alert to the branch about a low score."""
    if response.email:
        with translation.override(response.language):
            subject, link = _("Thank you for your answer"), _erase_link(response)
            _queue(response, OutgoingMail.Kind.RECEIPT, response.email, subject, link)
    if response.is_low and response.branch and response.branch.manager_email:
        with translation.override(settings.LANGUAGE_CODE):
            subject, link = _("A guest was not satisfied"), _staff_link(response)
            _queue(response, OutgoingMail.Kind.ALERT, response.branch.manager_email, subject, link)


def _queue(response: Response, kind: OutgoingMail.Kind, recipient: str, subject: str, link: str) -> OutgoingMail:
    """Queue one mail, rendered now: what is sent later is what was promised.

    No mail holds what a guest typed: its address is one that the guest typed too, and need not be the guest's.
    """
    return OutgoingMail.objects.create(
        response=response,
        kind=kind,
        recipient=recipient,
        subject=f"{subject} ({response.reference})",
        body=render_to_string(f"survey/mail/{kind.value}.txt", {"response": response, "link": link}),
        message_id=message_id(response.reference.lower(), kind),
    )


def _staff_link(response: Response) -> str:
    """Where staff read the answer. Written out: reverse() would import all of the staff's pages for a guest."""
    return f"{settings.PUBLIC_URL}/dashboard/responses/{response.reference}/" if settings.PUBLIC_URL else ""


def _erase_link(response: Response) -> str:
    """Where the guest has the answer erased, in the guest's language."""
    if not settings.PUBLIC_URL:
        return ""
    query = urlencode({"reference": response.reference, PARAMETER: short_code(response.language)})
    return f"{settings.PUBLIC_URL}{reverse('erase')}?{query}"


def message_id(unique: str, kind: OutgoingMail.Kind) -> str:
    """The Message-ID of a mail of this kind, in the sender's domain."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or DNS_NAME
    return f"<{unique}.{kind.value}@{domain}>"


def drain(seconds: float) -> Drained:
    """Send what is due, oldest first, starting no mail that `seconds` may not suffice for.

    Any number of drains may run at once: each mail is locked (or, on SQLite, claimed) by one of them. ValueError where
    the time would not suffice for any mail: then none would ever be sent.
    """
    if seconds <= settings.EMAIL_SECONDS:
        raise ValueError(
            f"{seconds:g} s are too short: with EMAIL_TIMEOUT={settings.EMAIL_TIMEOUT} one mail may take"
            f" {settings.EMAIL_SECONDS:g} s."
        )
    drained = Drained()
    give_up = time.monotonic() + seconds - settings.EMAIL_SECONDS
    mailer = get_connection()
    try:
        while settings.SENDS_MAIL and time.monotonic() < give_up:
            with _one_at_a_time():
                mail = _take()
                if mail is None:
                    break
                _handle(mail, mailer, drained)
    finally:
        mailer.close()
    drained.waiting = OutgoingMail.objects.filter(status=OutgoingMail.Status.QUEUED).count()
    if settings.SENDS_MAIL:
        Chore.note(CHORE)
    elif drained.waiting:
        logger.warning("outbox.no_mail_server", extra={"waiting": drained.waiting})
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
    # Longer than the one mail may take: nobody else sends it while this drain lives.
    lease = timedelta(seconds=2 * settings.EMAIL_SECONDS)
    while (mail := _due().first()) is not None:
        if _due().filter(pk=mail.pk).update(claimed_until=timezone.now() + lease):
            return mail
    return None


def _handle(mail: OutgoingMail, mailer: BaseEmailBackend, drained: Drained) -> None:
    """Send one mail and write down how it went; a failure is kept, put off, and stops no other mail."""
    if mail.response is not None and mail.response.erased_at is not None:
        mail.delete()
        drained.deleted += 1
        return
    from survey import password_requests  # which queues mails here

    if password_requests.is_request(mail):
        password_requests.resolve(mail)
        return
    attempts = mail.attempts + 1
    try:
        mailer.open()
        EmailMessage(
            mail.subject,
            mail.body,
            to=[mail.recipient],
            headers={"Message-ID": mail.message_id},
            connection=mailer,
        ).send()
    # OSError: SMTPException is one, as are time-outs and refused connections. ValueError: what cannot be a header.
    except (OSError, ValueError) as error:
        given_up = attempts >= settings.MAIL_ATTEMPTS or _is_final(error)
        outcome: dict[str, object] = {"last_error": f"{type(error).__name__}: {error}"}
        if given_up:
            outcome["status"] = OutgoingMail.Status.FAILED
            drained.failed += 1
        else:
            outcome["next_attempt_at"] = timezone.now() + delay_after(attempts)
            drained.retried += 1
        # Not the error's text, which may quote the recipient.
        details = {"mail": mail.pk, "attempts": attempts, "error": type(error).__name__, "given_up": given_up}
        logger.warning("outbox.not_sent", extra={**details, "code": getattr(error, "smtp_code", None)})
    else:
        outcome = {"status": OutgoingMail.Status.SENT, "sent_at": timezone.now(), "last_error": ""}
        if mail.kind == OutgoingMail.Kind.ACCOUNT:
            outcome["body"] = ""  # its link opens the account
        drained.sent += 1
        logger.info("outbox.sent", extra={"mail": mail.pk, "attempts": attempts})
    # Not save(): it would bring back a mail that was erased in the meantime.
    OutgoingMail.objects.filter(pk=mail.pk).update(attempts=attempts, claimed_until=None, **outcome)


def delay_after(attempts: int) -> timedelta:
    """How long a mail waits after so many failed attempts."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_DELAY * doubled, LONGEST_DELAY) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311


def _is_final(error: Exception) -> bool:
    """Whether the server refused the recipient for good (5xx): asking again would only cost the sender's good name."""
    return isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        code >= 500 for code, _text in error.recipients.values()
    )


def requeue(mails: QuerySet[OutgoingMail]) -> int:
    """Let mails that were given up or put off be sent with the next drain; sent ones stay sent. Returns how many."""
    return mails.exclude(status=OutgoingMail.Status.SENT).update(
        status=OutgoingMail.Status.QUEUED, attempts=0, next_attempt_at=timezone.now()
    )


def queue_state() -> Queue:
    """How the queue stands."""
    queued = OutgoingMail.objects.filter(status=OutgoingMail.Status.QUEUED)
    due = queued.filter(next_attempt_at__lte=timezone.now())
    return Queue(
        queued=queued.count(),
        due_since=due.aggregate(oldest=Min("next_attempt_at"))["oldest"],
        failed=OutgoingMail.objects.filter(status=OutgoingMail.Status.FAILED).count(),
    )
