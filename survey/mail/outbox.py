"""Mail: queued in the transaction of what it belongs to, sent outside the request."""

from __future__ import annotations

import logging
import random
import smtplib
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.utils import DNS_NAME
from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from mydjango.http.language import PARAMETER, short_code
from survey.mail import account_links
from survey.models import JobRun, OutgoingMail, Submission

logger = logging.getLogger(__name__)

JOB = "drain_outbox"
DRAIN_SECONDS = 45.0  # of a timer's drain: its function has 60 s, of which starting and the database take some
# How long a claim outlasts its drain: clocks differ, and the outcome may be written only after the database came back.
CLAIM_RESERVE = timedelta(minutes=1)
ERROR_LENGTH = 1_000  # characters that are kept of an error
UNFINISHED = "Unfinished: the process ended, or lost the database, while it sent this mail."
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


def queue_mails(submission: Submission) -> None:
    """Queue what an answer leads to: a receipt for the guest, an alert to the branch about a low score."""
    if submission.email:
        with translation.override(submission.language):
            subject, link = _("Thank you for your answer"), _erase_link(submission)
            _queue_about(submission, OutgoingMail.Kind.RECEIPT, submission.email, subject, link)
    if submission.is_low and submission.branch and submission.branch.manager_email:
        with translation.override(settings.LANGUAGE_CODE):
            subject, link = _("A guest was not satisfied"), _staff_link(submission)
            _queue_about(submission, OutgoingMail.Kind.ALERT, submission.branch.manager_email, subject, link)


def _queue_about(submission: Submission, kind: OutgoingMail.Kind, recipient: str, subject: str, link: str) -> None:
    """Queue a mail about a submission.

    No mail holds what a guest typed: its address is one that the guest typed too, and need not be the guest's.
    """
    body = render_to_string(f"mail/{kind.value}.txt", {"submission": submission, "link": link})
    subject = f"{subject} ({submission.reference})"
    queue(kind, recipient, subject, body, unique=submission.reference.lower(), submission=submission)


def queue(
    kind: OutgoingMail.Kind,
    recipient: str,
    subject: str,
    body: str,
    *,
    unique: str,
    submission: Submission | None = None,
    account: User | None = None,
) -> OutgoingMail:
    """Queue one mail, rendered now: what is sent later is what was promised. Of an account's mail see account_links.

    `unique` begins the Message-ID and is nobody else's among mails of this kind.
    """
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or DNS_NAME
    return OutgoingMail.objects.create(
        kind=kind,
        recipient=recipient,
        subject=subject,
        body=body,
        message_id=f"<{unique}.{kind.value}@{domain}>",
        submission=submission,
        account=account,
    )


def _staff_link(submission: Submission) -> str:
    """Where staff read the answer. Written out: reverse() would import all of the staff's pages for a guest."""
    return f"{settings.PUBLIC_URL}/dashboard/responses/{submission.reference}/" if settings.PUBLIC_URL else ""


def _erase_link(submission: Submission) -> str:
    """Where the guest has the answer erased, in the guest's language."""
    if not settings.PUBLIC_URL:
        return ""
    query = urlencode({"reference": submission.reference, PARAMETER: short_code(submission.language)})
    return f"{settings.PUBLIC_URL}{reverse('erase')}?{query}"


def drain(seconds: float) -> Drained:
    """Send what is due, oldest first, for `seconds` at most, and begin no mail with less than EMAIL_SECONDS left.

    Any number of drains may run at once: each mail is claimed by one of them. Raises ValueError where the time would
    not suffice for any mail: then none would ever be sent.
    """
    if seconds <= settings.EMAIL_SECONDS:
        raise ValueError(
            f"{seconds:g} s are too short: with EMAIL_TIMEOUT={settings.EMAIL_TIMEOUT} no mail is begun with less than"
            f" {settings.EMAIL_SECONDS:g} s left."
        )
    deadline = time.monotonic() + seconds
    drained = Drained()
    mailer = get_connection(deadline=deadline)
    try:
        while settings.SENDS_MAIL and (left := deadline - time.monotonic()) >= settings.EMAIL_SECONDS:
            mail = _claim(left, drained)
            if mail is None:
                break
            _handle(mail, mailer, drained)
    finally:
        mailer.close()
    drained.waiting = OutgoingMail.objects.filter(status=OutgoingMail.Status.QUEUED).count()
    if settings.SENDS_MAIL:
        JobRun.note(JOB)
    elif drained.waiting:
        logger.warning("outbox.no_mail_server", extra={"waiting": drained.waiting})
    return drained


def _due() -> QuerySet[OutgoingMail]:
    now = timezone.now()
    return OutgoingMail.objects.filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now), status=OutgoingMail.Status.QUEUED, next_attempt_at__lte=now
    )


def _claim(seconds: float, drained: Drained) -> OutgoingMail | None:
    """Return the next mail that is due, claimed for so many seconds and its attempt counted; None when nothing is due.

    The claim is committed before the mail is sent, so it outlives the process and its database connection: a mail that
    ends every drain, or whose sending outlasts the connection, is still put off and in the end given up. A row lock
    would be gone with either, and the attempt with it.
    """
    while (mail := _due().order_by("next_attempt_at", "id").first()) is not None:
        now = timezone.now()
        # As it was read, else another drain was quicker.
        unclaimed = _due().filter(pk=mail.pk, attempts=mail.attempts)
        if mail.attempts >= settings.MAIL_ATTEMPTS:
            drained.failed += unclaimed.update(status=OutgoingMail.Status.FAILED)
            continue
        mail.attempts += 1
        if unclaimed.update(
            attempts=mail.attempts,
            next_attempt_at=now + delay_after(mail.attempts),
            claimed_until=now + timedelta(seconds=seconds) + CLAIM_RESERVE,
            last_error=UNFINISHED,
        ):
            return mail
    return None


def _handle(mail: OutgoingMail, mailer: BaseEmailBackend, drained: Drained) -> None:
    """Send a claimed mail and write down how it went; a failure is kept, put off, and stops no other mail."""
    if account_links.is_request(mail):
        _resolve(mail)
        return
    if _is_unwanted(mail):
        mail.delete()
        drained.deleted += 1
        return
    try:
        _send(mail, mailer)
    except Exception as error:  # noqa: BLE001  (whatever a mail holds or a server replies, the next mail goes out)
        _note_failure(mail, error, drained)
    else:
        _note_success(mail, drained)


def _send(mail: OutgoingMail, mailer: BaseEmailBackend) -> None:
    """Make the message and give it to the mail server; every exception is a failed attempt."""
    message = _message(mail, mailer)
    mailer.open()
    message.send()


def _note_success(mail: OutgoingMail, drained: Drained) -> None:
    outcome: dict[str, object] = {"status": OutgoingMail.Status.SENT, "sent_at": timezone.now(), "last_error": ""}
    if mail.kind == OutgoingMail.Kind.ACCOUNT:
        outcome["body"] = ""  # nothing to keep: it was sent with another link
    _note(mail, outcome)
    drained.sent += 1
    logger.info("outbox.sent", extra={"mail": mail.pk, "attempts": mail.attempts})


def _note_failure(mail: OutgoingMail, error: Exception, drained: Drained) -> None:
    given_up = mail.attempts >= settings.MAIL_ATTEMPTS or _is_final(error)
    outcome: dict[str, object] = {"last_error": _reason(mail, error)}
    if given_up:
        outcome["status"] = OutgoingMail.Status.FAILED
        drained.failed += 1
    else:
        outcome["next_attempt_at"] = timezone.now() + delay_after(mail.attempts)
        drained.retried += 1
    _note(mail, outcome)
    # Not the error's text, which may quote the recipient.
    details = {"mail": mail.pk, "attempts": mail.attempts, "error": type(error).__name__, "given_up": given_up}
    logger.warning("outbox.not_sent", extra={**details, "code": getattr(error, "smtp_code", None)})


def _note(mail: OutgoingMail, outcome: dict[str, object]) -> None:
    """Write the outcome and end the claim."""
    # The server may have closed a connection that was idle while the mail was sent (MYSQL_WAIT_TIMEOUT).
    if connection.connection is not None and not connection.is_usable():
        connection.close()
    # Not save(): it would bring back a mail that was erased in the meantime.
    OutgoingMail.objects.filter(pk=mail.pk).update(claimed_until=None, **outcome)


@transaction.atomic
def _resolve(request: OutgoingMail) -> None:
    """Replace a request for a link by a mail to each account of its address; an address without one gets none."""
    kind = OutgoingMail.Kind(request.kind)
    for account in account_links.accounts_of(request.recipient):
        queue(kind, account.email, request.subject, request.body, unique=uuid.uuid4().hex, account=account)
    request.delete()


def _is_unwanted(mail: OutgoingMail) -> bool:
    """Return whether the guest had the submission erased, or the account may not log in any more."""
    if mail.kind == OutgoingMail.Kind.ACCOUNT:
        return account_links.is_unwanted(mail)
    return mail.submission is not None and mail.submission.erased_at is not None


def _message(mail: OutgoingMail, mailer: BaseEmailBackend) -> EmailMessage:
    """Return what is sent: the mail as it was queued, an account's with its link. Raises Undeliverable."""
    body = account_links.body_with_link(mail) if mail.kind == OutgoingMail.Kind.ACCOUNT else mail.body
    return EmailMessage(
        mail.subject, body, to=[mail.recipient], headers={"Message-ID": mail.message_id}, connection=mailer
    )


def _reason(mail: OutgoingMail, error: Exception) -> str:
    """Return the error for `last_error`, which staff read: a server may quote the link in the mail that it refuses."""
    if mail.kind == OutgoingMail.Kind.ACCOUNT and isinstance(error, smtplib.SMTPDataError):
        return f"{type(error).__name__}: {error.smtp_code}"
    # A reply may be long, and an error may quote half a character.
    return f"{type(error).__name__}: {error}".encode(errors="backslashreplace").decode()[:ERROR_LENGTH]


def delay_after(attempts: int) -> timedelta:
    """How long a mail waits after so many failed attempts."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_DELAY * doubled, LONGEST_DELAY) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311


def _is_final(error: Exception) -> bool:
    """Whether nothing would change: the mail cannot be delivered, or the server refused the recipient for good (5xx),
    where asking again would cost the sender's good name."""
    if isinstance(error, account_links.Undeliverable):
        return True
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
