"""The token with which a guest erases a submission: for the thank-you page alone, stored as a hash.

It is derived from the visit's key, so that a retry of the same submission gets the same token without its being stored;
without a key, which no retry can repeat, it is random. Staff know a submission's reference and its content, but neither
the key, of which the database keeps a hash, nor SECRET_KEY.

A cookie carries the token to the thank-you page. In a URL it would stand in the gateway's log and go along with every
copy of the address. The cookie is sent to that one page (its path), read by no script (HttpOnly) and needs none. The
page shows the button for COOKIE_LIFE: loaded again, in another language, or opened from the history. The token itself
works until the submission is erased. Where a platform logs what a function returns, its readers see the token too
(docs/promises.md).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from survey.models import Submission

COOKIE = "erase_token"
COOKIE_LIFE = timedelta(days=30)
SALT = "survey.guest.erase_token"


def new_token(key: str) -> str:
    """Return the token of a submission under this idempotency key, or under none."""
    return _derive(key, settings.SECRET_KEY) if key else secrets.token_hex(32)


def replayed_token(key: str, submission: Submission) -> str:
    """Return the token of a submission that is stored under this key; '' where no token erases it.

    SECRET_KEY may have been changed between the first attempt and this one.
    """
    tokens = (_derive(key, secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    return next((token for token in tokens if erases(token, submission)), "")


def digest(token: str) -> str:
    """Return what the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def erases(token: str, submission: Submission) -> bool:
    """Return whether this is the token of this submission."""
    return bool(token) and constant_time_compare(digest(token), submission.erase_token_digest)


def hand_over(token: str, submission: Submission, response: HttpResponse) -> None:
    """Set the cookie that carries the token to the thank-you page of this submission."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=COOKIE_LIFE,
        path=reverse("thanks", args=[submission.reference]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def token_of(request: HttpRequest, submission: Submission) -> str:
    """Return the token that the guest's browser has for this submission; '' for every other browser."""
    token: str = request.COOKIES.get(COOKIE, "")
    return token if erases(token, submission) else ""


def _derive(key: str, secret: str | bytes) -> str:
    return salted_hmac(SALT, key, secret=secret, algorithm="sha256").hexdigest()
