"""The mail queue: mails are queued in the transaction of their submission and delivered outside the request.

survey/mail/delivery.py claims, retries and gives up.
"""

from __future__ import annotations

import logging
import smtplib
import time
import uuid
from email.utils import parseaddr
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.utils import DNS_NAME
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from mydjango.http.language import PARAMETER, short_code
from survey.insert import insert
from survey.mail import account_links, delivery
from survey.mail.delivery import DeliveryReport, QueueState
from survey.models import DigestSubscription, JobRun, OutgoingMail, Submission

logger = logging.getLogger(__name__)

JOB = "drain_outbox"
DELIVERY_SECONDS = 45.0  # of a timer's run: its function has 60 s, of which starting and the database take some


def queue_mails(submission: Submission) -> None:
    """Queue the receipt for the guest and, after a low score, the alert to the branch, in one statement."""
    mails = []
    if submission.email:
        with translation.override(submission.language):
            subject, link = _("Thank you for your answer"), _erase_link(submission)
            mails.append(_mail_about(submission, OutgoingMail.Kind.RECEIPT, submission.email, subject, link))
    if submission.is_low and submission.branch and submission.branch.manager_email:
        with translation.override(settings.LANGUAGE_CODE):
            subject, link = _("A guest was not satisfied"), _staff_link(submission)
            manager = submission.branch.manager_email
            mails.append(_mail_about(submission, OutgoingMail.Kind.ALERT, manager, subject, link))
    if mails:
        insert(mails)


def _mail_about(
    submission: Submission, kind: OutgoingMail.Kind, recipient: str, subject: str, link: str
) -> OutgoingMail:
    """Return an unsaved mail about a submission.

    No mail quotes the guest: the guest typed the address too, so a receipt could carry spam to somebody else.
    """
    body = render_to_string(f"mail/{kind.value}.txt", {"submission": submission, "link": link})
    return OutgoingMail(
        kind=kind,
        recipient=recipient,
        subject=f"{subject} ({submission.reference})",
        body=body,
        message_id=_message_id(submission.reference.lower(), kind),
        submission=submission,
    )


def queue(
    kind: OutgoingMail.Kind, recipient: str, subject: str, body: str, *, unique: str, account: User | None = None
) -> OutgoingMail:
    """Queue one rendered mail. The link of an account's mail is added on delivery, see account_links.

    `unique` begins the Message-ID and must be unique among mails of this kind.
    """
    return OutgoingMail.objects.create(
        kind=kind,
        recipient=recipient,
        subject=subject,
        body=body,
        message_id=_message_id(unique, kind),
        account=account,
    )


def _message_id(unique: str, kind: OutgoingMail.Kind) -> str:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or DNS_NAME
    return f"<{unique}.{kind.value}@{domain}>"


def _staff_link(submission: Submission) -> str:
    # Written out: reverse() would import all staff pages in a guest's request.
    return f"{settings.PUBLIC_URL}/dashboard/responses/{submission.reference}/" if settings.PUBLIC_URL else ""


def _erase_link(submission: Submission) -> str:
    if not settings.PUBLIC_URL:
        return ""
    query = urlencode({"reference": submission.reference, PARAMETER: short_code(submission.language)})
    return f"{settings.PUBLIC_URL}{reverse('erase')}?{query}"


def require(seconds: float) -> None:
    """Raise ValueError when a delivery run of `seconds` suffices for no mail."""
    if seconds <= settings.EMAIL_SECONDS:
        raise ValueError(
            f"{seconds:g} s are too short: with EMAIL_TIMEOUT={settings.EMAIL_TIMEOUT} no mail is begun with less than"
            f" {settings.EMAIL_SECONDS:g} s left."
        )


def deliver(seconds: float, begun: float | None = None) -> DeliveryReport:
    """Send the mails that are due, oldest first, for at most `seconds`; start none with less than EMAIL_SECONDS left.

    `seconds` count from `begun` (of time.monotonic()), or from now. Any number of deliveries may run at once. Raises
    ValueError when `seconds` suffices for no mail.
    """
    require(seconds)
    deadline = (time.monotonic() if begun is None else begun) + seconds
    report = DeliveryReport()
    mailer = get_connection(deadline=deadline)
    try:
        while settings.SENDS_MAIL and (left := deadline - time.monotonic()) >= settings.EMAIL_SECONDS:
            mail = delivery.claim(OutgoingMail.objects.all, left, report)
            if mail is None:
                break
            _deliver_one(mail, mailer, report)
    finally:
        mailer.close()
    report.waiting = OutgoingMail.objects.filter(status=OutgoingMail.Status.QUEUED).count()
    if settings.SENDS_MAIL:
        JobRun.record(JOB)
    elif report.waiting:
        logger.warning("outbox.no_mail_server", extra={"waiting": report.waiting})
    return report


def _deliver_one(mail: OutgoingMail, mailer: BaseEmailBackend, report: DeliveryReport) -> None:
    """Send a claimed mail and save the outcome. No exception of a mail stops the next one."""
    if account_links.is_request(mail):
        _resolve(mail)
        return
    if _is_unwanted(mail):
        mail.delete()
        report.deleted += 1
        return
    try:
        message = _build_message(mail, mailer)
        mailer.open()
        message.send()
    except Exception as error:  # noqa: BLE001  (whatever a mail holds or a server replies, the next mail goes out)
        _record_failure(mail, error, report)
    else:
        _record_success(mail, report)


@transaction.atomic
def _resolve(request: OutgoingMail) -> None:
    """Replace a request for a link by a mail to each account of its address; an address without one gets none."""
    kind = OutgoingMail.Kind(request.kind)
    for account in account_links.accounts_of(request.recipient):
        queue(kind, account.email, request.subject, request.body, unique=uuid.uuid4().hex, account=account)
    request.delete()


def _is_unwanted(mail: OutgoingMail) -> bool:
    """Return whether the submission was erased, the account may not log in any more, or wants no digest any more."""
    if mail.kind == OutgoingMail.Kind.ACCOUNT:
        return account_links.is_unwanted(mail)
    if mail.kind == OutgoingMail.Kind.DIGEST:
        wanted = DigestSubscription.objects.filter(user=mail.account_id, user__is_active=True)
        return mail.recipient not in wanted.values_list("user__email", flat=True)
    return mail.submission is not None and mail.submission.erased_at is not None


def _build_message(mail: OutgoingMail, mailer: BaseEmailBackend) -> EmailMessage:
    """Return the message of a queued mail. Raises Undeliverable for an account's mail that can have no link."""
    body = account_links.body_with_link(mail) if mail.kind == OutgoingMail.Kind.ACCOUNT else mail.body
    return EmailMessage(
        mail.subject, body, to=[mail.recipient], headers={"Message-ID": mail.message_id}, connection=mailer
    )


def _record_success(mail: OutgoingMail, report: DeliveryReport) -> None:
    # The stored body of an account's mail lacks the link that was sent.
    delivery.save_sent(mail, report, **({"body": ""} if mail.kind == OutgoingMail.Kind.ACCOUNT else {}))
    logger.info("outbox.sent", extra={"mail": mail.pk, "attempts": mail.attempts})


def _record_failure(mail: OutgoingMail, error: Exception, report: DeliveryReport) -> None:
    given_up = delivery.save_failed(mail, _describe(error, mail), report, is_permanent=_is_permanent(error))
    # Without the error's text, which may quote the recipient.
    details = {"mail": mail.pk, "attempts": mail.attempts, "error": type(error).__name__, "given_up": given_up}
    logger.warning("outbox.not_sent", extra={**details, "code": getattr(error, "smtp_code", None)})


def _describe(error: Exception, mail: OutgoingMail) -> str:
    """Return the text of an error for `last_error`, which staff read."""
    if mail.kind == OutgoingMail.Kind.ACCOUNT and isinstance(error, smtplib.SMTPDataError):
        return f"{type(error).__name__}: {error.smtp_code}"  # the server's reply may quote the link
    return f"{type(error).__name__}: {error}"


def _is_permanent(error: Exception) -> bool:
    """Return whether no retry can help: the mail is undeliverable, or the server refused the recipient with a 5xx.

    Asking again after a 5xx harms the sender's reputation.
    """
    if isinstance(error, account_links.Undeliverable):
        return True
    return isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        code >= 500 for code, _text in error.recipients.values()
    )


def queue_state() -> QueueState:
    """Return the present state of the mail queue."""
    return delivery.queue_state(OutgoingMail.objects.all())
