"""The token with which a guest erases a submission; only its hash is stored.

The token is derived from the visit's key, so that a retry gets the same token although it is not stored. Without a key
no retry is recognised, and the token is random. Staff know the reference and the content of a submission, but neither
the key, which is stored as a hash, nor SECRET_KEY.

A cookie carries the token to the thank-you page: a URL would put it into the gateway's log and into every copy of the
address. The cookie is sent to that page only (its path) and hidden from scripts (HttpOnly). It lasts for COOKIE_LIFE,
the token until the submission is erased. Readers of a log of the platform that holds results see the token
(docs/promises.md).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from survey.idempotency import secret_keys
from survey.models import Submission

COOKIE = "erase_token"
COOKIE_LIFE = timedelta(days=30)
SALT = "survey.guest.erase_token"


def new_token(key: str) -> str:
    """Return the token of a new submission with this idempotency key, '' for none."""
    return _derive(key, settings.SECRET_KEY) if key else secrets.token_hex(32)


def replayed_token(key: str, submission: Submission) -> str:
    """Return the token of the submission stored under this key; '' when no token erases it.

    SECRET_KEY may have changed since the first attempt.
    """
    tokens = (_derive(key, secret) for secret in secret_keys())
    return next((token for token in tokens if erases(token, submission)), "")


def digest(token: str) -> str:
    """Return the hash of a token, as stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def erases(token: str, submission: Submission) -> bool:
    """Return whether the token belongs to the submission, in constant time."""
    return bool(token) and constant_time_compare(digest(token), submission.erase_token_digest)


def set_cookie(token: str, thanks_path: str, response: HttpResponse) -> None:
    """Set the cookie that carries the token to the path of the submission's thank-you page."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=COOKIE_LIFE,
        path=thanks_path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def from_cookie(request: HttpRequest, submission: Submission) -> str:
    """Return the submission's token from the cookie; '' for browsers without it."""
    token: str = request.COOKIES.get(COOKIE, "")
    return token if erases(token, submission) else ""


def _derive(key: str, secret: str | bytes) -> str:
    return salted_hmac(SALT, key, secret=secret, algorithm="sha256").hexdigest()
