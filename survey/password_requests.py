"""Requests for a password mail, queued alike for an address that has an account and for one that has none.

Whether there is an account is looked up when the queue is sent, so that the page takes no longer for a known address.
"""

from __future__ import annotations

import re
import uuid

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from mydjango.public_url import absolute_url
from survey.models import OutgoingMail
from survey.outbox import message_id

# In a request the page that takes requests stands in the link's place, on a line of its own.
_PAGE = re.compile(r"^(https?://\S+/)forgotten/$", re.MULTILINE)


def queue_request(request: HttpRequest, email: str) -> None:
    """Queue a request for the address, in the language of this HTTP request."""
    page = absolute_url(request, reverse("dashboard:password_forgotten"))
    _queue(email, _("Choose a new password"), render_to_string("survey/mail/password.txt", {"link": page}))


def is_request(mail: OutgoingMail) -> bool:
    """Return whether the mail is a request, whose address was typed by anybody and must not get it."""
    return mail.kind == OutgoingMail.Kind.ACCOUNT and _PAGE.search(mail.body) is not None


def resolve(mail: OutgoingMail) -> None:
    """Replace a request by a mail to each active account of its address, also to one that never had a password."""
    for user in User.objects.filter(email__iexact=mail.recipient, is_active=True):
        if user.email.casefold() == mail.recipient.casefold():  # a collation may take á for a
            path = f"{urlsafe_base64_encode(force_bytes(user.pk))}/{default_token_generator.make_token(user)}/"
            _queue(user.email, mail.subject, _PAGE.sub(rf"\g<1>{path}", mail.body))
    mail.delete()


def _queue(recipient: str, subject: str, body: str) -> None:
    OutgoingMail.objects.create(
        kind=OutgoingMail.Kind.ACCOUNT,
        recipient=recipient,
        subject=subject,
        body=body,
        message_id=message_id(uuid.uuid4().hex, OutgoingMail.Kind.ACCOUNT),
    )
