"""Compute the digests of a caller's key and of a submission's content.

survey/guest/services.py recognises a retry by them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.utils.crypto import constant_time_compare, salted_hmac

KEY_MAX_LENGTH = 255
SALT = "survey.content"
ERASED_SALT = "survey.erased_key"
# Begins the key digest of an erased submission; no SHA-256 in hexadecimal begins with it.
ERASED_PREFIX = "keyed:"
DIGEST_LENGTH = 64  # of the column


def key_digest(key: str) -> str | None:
    """Return the unique digest of a key, as stored; None without a key."""
    return hashlib.sha256(key.encode()).hexdigest() if key else None


def erased_key_digest(digest: str, secret: str | bytes | None = None) -> str:
    """Return the digest that replaces a key's on erasure, keyed with `secret` or SECRET_KEY.

    Whoever tries keys, such as phone numbers, against an unkeyed digest would learn whose submission was erased.
    """
    keyed = salted_hmac(ERASED_SALT, digest, secret=secret, algorithm="sha256").hexdigest()
    return f"{ERASED_PREFIX}{keyed}"[:DIGEST_LENGTH]


def erased_key_digests(digest: str) -> list[str]:
    """Return the digests that may have replaced this one, under SECRET_KEY and each of SECRET_KEY_FALLBACKS."""
    return [erased_key_digest(digest, secret) for secret in secret_keys()]


def content_digest(content: Mapping[str, Any], secret: str | bytes | None = None) -> str:
    """Return a digest of validated fields, the same for JSON and for a form, keyed with `secret` or SECRET_KEY.

    Empty fields do not count, so that a field which a deployment adds between two attempts makes no difference.
    """
    given = {name: value for name, value in content.items() if value not in (None, "", [], ())}
    text = json.dumps(given, sort_keys=True, default=lambda value: value.pk if isinstance(value, Model) else str(value))
    return salted_hmac(SALT, text, secret=secret, algorithm="sha256").hexdigest()


def is_same_content(content: Mapping[str, Any], digest: str) -> bool:
    """Return whether the digest is of this content, under SECRET_KEY or one of SECRET_KEY_FALLBACKS."""
    return any(constant_time_compare(content_digest(content, secret), digest) for secret in secret_keys())


def secret_keys() -> list[str | bytes]:
    """Return SECRET_KEY and the keys before it, the present one first."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
