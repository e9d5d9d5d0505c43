"""Make the values that are new on each opened page, the visit's key and its signed time, and their placeholders."""

from __future__ import annotations

import os
import re

from django.conf import settings
from django.core.signing import TimestampSigner

MARK = "\ufdd0"  # a noncharacter of Unicode, which stands for nothing in any text
PLACEHOLDER = re.compile(f"{MARK}([^{MARK}]+){MARK}")

signer = TimestampSigner(salt="survey.started")


def placeholder(name: str) -> str:
    """Return the placeholder of a value in a page that is kept."""
    return f"{MARK}{name}{MARK}"


def new_visit() -> dict[str, str]:
    """Return the values of VisitForm's hidden fields for a page that is opened now: a new key, the signed time."""
    return {"submission_id": os.urandom(16).hex(), "started": signer.sign("")}


def photos_switch() -> str:
    """Return `on` where guests may add photos, '' elsewhere; the packaged page does not know the environment."""
    return "on" if settings.PHOTO_BUCKET_URL or settings.PHOTO_FOLDER else ""
