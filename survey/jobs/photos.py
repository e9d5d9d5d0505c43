"""Delete the photos that are due from the storage."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.utils import timezone

from mydjango.object_storage.bucket import StorageError
from survey import photos
from survey.models import Photo

logger = logging.getLogger(__name__)

BATCH = 100
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)


def delete_due(seconds: float) -> int:
    """Delete what is due from the storage, starting no deletion after `seconds`. Return the number of objects deleted.

    One that fails is tried again, after longer and longer pauses. Any number of timers may call this at once.
    """
    if not photos.is_on():
        return 0
    now, deadline, deleted = timezone.now(), time.monotonic() + seconds, 0
    unsent = Photo.objects.filter(submission=None, delete_at=None, created_at__lt=now - photos.UNSENT_LIFE)
    photos.queue_deletion(unsent)
    # Not while the URL of its upload is valid: the object could come after its deletion.
    due = Photo.objects.filter(delete_at__lte=timezone.now(), created_at__lte=now - photos.UPLOAD_LIFE).order_by(
        "delete_at", "pk"
    )
    where = photos.storage()
    for photo in due[:BATCH]:
        pause = min(FIRST_PAUSE * 2 ** min(photo.attempts, 10), LONGEST_PAUSE)
        mine = Photo.objects.filter(pk=photo.pk, delete_at=photo.delete_at)
        if time.monotonic() > deadline or not mine.update(
            delete_at=timezone.now() + pause, attempts=photo.attempts + 1
        ):
            continue
        try:
            where.delete(photo.key)
        except (StorageError, OSError) as error:
            Photo.objects.filter(pk=photo.pk).update(last_error=str(error)[:200])
            logger.error("photo.not_deleted", extra={"photo": photo.pk, "reason": str(error)})  # noqa: TRY400
        else:
            Photo.objects.filter(pk=photo.pk).delete()
            deleted += 1
    return deleted
