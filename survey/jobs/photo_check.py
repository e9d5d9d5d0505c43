"""Check what browsers have stored: the handler of the storage's events.

EVENT_HANDLERS names it: `cos=survey.jobs.photo_check:check_stored`, or `s3=` on AWS (docs/photos.md).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from django.db import close_old_connections
from django.utils import timezone

import mydjango.wsgi  # noqa: F401  an event may be the first of its instance: names the settings
from mydjango.cold_start.deferred_apps import populate_apps

logger = logging.getLogger(__name__)

HEAD = 12  # bytes that tell the formats apart


def check_stored(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ANN401  (a dict or an object, by platform)
    """Queue the deletion of stored objects that no guest may upload: too large, no image, or under an unknown key.

    Raises StorageError while the storage cannot be read: the platform then passes the event again.
    """
    populate_apps()
    try:
        results = [_is_photo(key) for key in _keys(event)]
    finally:
        close_old_connections()
    return {"kept": results.count(True), "deleted": results.count(False)}


def _keys(event: dict[str, Any]) -> Iterator[str]:
    """Yield the keys below our prefix: COS's event has them as /APPID/BUCKET/key, S3's as in a form."""
    from survey.photos import PREFIX

    for record in event.get("Records", ()):
        if "cos" in record:
            key = record["cos"]["cosObject"]["key"].split("/", 3)[-1]
        else:
            key = unquote_plus(record["s3"]["object"]["key"])
        if key.startswith(PREFIX):
            yield key


def _is_photo(key: str) -> bool:
    """Return whether the object is a photo that a guest was allowed to upload. If not, queue its deletion."""
    from survey import photos
    from survey.models import Photo

    beginning = photos.storage().read_beginning(key, HEAD)
    if beginning is None:  # deleted meanwhile
        return True
    row = Photo.objects.filter(key=key).first()
    reason = ""
    if row is None:
        reason = "unknown key"
    elif beginning.size > photos.MAX_BYTES:
        reason = "too large"
    elif suffix_of(beginning.content) != key.rpartition(".")[2]:
        reason = "no image of its type"
    if not reason:
        return True
    logger.error("photo.refused", extra={"reason": reason, "bytes": beginning.size, "photo": row and row.pk})
    if row is None:
        row = Photo(key=key, created_at=timezone.now() - photos.UPLOAD_LIFE)
    row.submission, row.delete_at = None, timezone.now()
    row.save()
    return False


def suffix_of(content: bytes) -> str:
    """Return `jpg` or `webp` by an object's first bytes, '' for anything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    return "webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""
