"""The link for choosing a password in mails about staff accounts.

Anybody with the link has the account, so the link is made on delivery and never stored. Until then the mail's body
holds the address of the page where such a link is requested: code of the release before sends a body as it is queued,
and thus sends an address that works.
"""

from __future__ import annotations

import re
import uuid

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from survey.addresses import canonical_name
from survey.models import OutgoingMail

# Only on a line of its own, as in the templates: a login name may contain the same path.
_LINK = re.compile(r"^(https?://\S+?/dashboard/password/)\S+$", re.MULTILINE)
_PAGE = "forgotten/"  # instead of <uidb64>/<token>/, see survey/staff/urls.py


_REQUEST = "request-"  # begins the Message-ID of a request, which is no mail


class Undeliverable(ValueError):
    """Raised for a mail that no retry can deliver."""


def request_id() -> str:
    """Return how the Message-ID of a new request for a link begins."""
    return f"{_REQUEST}{uuid.uuid4().hex}"


def is_request(mail: OutgoingMail) -> bool:
    """Return whether this is a request: its address was typed by anybody, and must not get it."""
    return mail.kind == OutgoingMail.Kind.ACCOUNT and mail.message_id.startswith(f"<{_REQUEST}")


def accounts_of(email: str) -> list[User]:
    """Return the active accounts with this address, also those that never had a password."""
    name = canonical_name(email)
    found = User.objects.filter(email__iexact=email, is_active=True)
    return [user for user in found if canonical_name(user.email) == name]  # a collation may take ö for o


def is_unwanted(mail: OutgoingMail) -> bool:
    """Return whether the mail's account was deleted, was deactivated or lost its address."""
    if mail.account_id is None:
        return False
    return not User.objects.filter(pk=mail.account_id, is_active=True).exclude(email="").exists()


def body_with_link(mail: OutgoingMail) -> str:
    """Return the body with a fresh link, and set `mail.recipient` to the account's present address.

    Never store the result. Raises Undeliverable when the account is unknown or the body has no place for a link.
    """
    account = _find_account(mail) if mail.account_id is None else User.objects.get(pk=mail.account_id)
    if mail.recipient != account.email:  # the old address may be somebody else's
        mail.recipient = account.email
        OutgoingMail.objects.filter(pk=mail.pk).update(recipient=account.email)
    path = f"{urlsafe_base64_encode(force_bytes(account.pk))}/{default_token_generator.make_token(account)}/"
    body, links = _LINK.subn(rf"\g<1>{path}", mail.body)
    if links != 1:
        raise Undeliverable("The mail has no place for a link.")
    return body


def _find_account(mail: OutgoingMail) -> User:
    """Return the account of a mail queued by the release before, and remove the link from the mail's stored body.

    Raises Undeliverable unless exactly one active account has the recipient's address.
    """
    mail.body = _LINK.sub(rf"\g<1>{_PAGE}", mail.body)
    active = User.objects.filter(email=mail.recipient, is_active=True)
    # Compare again: a collation may take ö for o, and the link would go to another mailbox.
    accounts = [account for account in active if account.email == mail.recipient]
    account = accounts[0] if len(accounts) == 1 else None
    OutgoingMail.objects.filter(pk=mail.pk).update(account=account, body=mail.body)
    if account is None:
        raise Undeliverable("There is no single account with this address.")
    return account
