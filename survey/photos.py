"""Photos of guests: where they are stored, what may be uploaded, and which are to be deleted.

The browser uploads to the storage itself, since the function takes 6 MB and returns no binary response. Nothing here
waits for the storage: URLs are signed, and deletions queued in the transaction that decides on them
(survey/jobs/photos.py deletes).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from survey.models import Photo, Submission

if TYPE_CHECKING:
    from mydjango.object_storage.bucket import Bucket
    from mydjango.object_storage.folder import Folder

PREFIX = "photos/"  # of all keys; the bucket may hold other things
MAX_PHOTOS = 3  # of one submission
MAX_BYTES = 2_000_000
SUFFIXES = {"image/jpeg": "jpg", "image/webp": "webp"}
KEY = r"photos/\d{4}/\d\d/\d\d/[0-9a-f]{32}\.(?:jpg|webp)"
UPLOAD_LIFE = timedelta(minutes=15)
VIEW_LIFE = timedelta(minutes=10)
UNSENT_LIFE = timedelta(days=2)  # a draft lives for a day


def is_on() -> bool:
    """Return whether guests can add photos."""
    return bool(settings.PHOTO_BUCKET_URL or settings.PHOTO_FOLDER)


def storage() -> Bucket | Folder:
    """Return the bucket, or else the folder, of the settings."""
    if settings.PHOTO_BUCKET_URL:
        from mydjango.object_storage.bucket import Bucket
        from mydjango.object_storage.signing import Credentials

        own = Credentials(settings.PHOTO_SECRET_ID, settings.PHOTO_SECRET_KEY) if settings.PHOTO_SECRET_ID else None
        return Bucket(settings.PHOTO_BUCKET_URL, settings.PHOTO_BUCKET_REGION, own)
    from django.urls import reverse

    from mydjango.object_storage.folder import Folder

    prefix = reverse("photo-file", args=["-"]).removesuffix("-")
    return Folder(Path(settings.PHOTO_FOLDER), prefix, settings.SECRET_KEY)


def permit_upload(content_type: str, size: int) -> tuple[str, str]:
    """Store a new key. Return it with the URL that takes one object of this type and of this size, in bytes.

    Raises StorageError without credentials.
    """
    key = f"{PREFIX}{timezone.localdate():%Y/%m/%d}/{secrets.token_hex(16)}.{SUFFIXES[content_type]}"
    headers = {"Content-Type": content_type, "Content-Length": str(size)}
    url = storage().upload_url(key, headers, int(UPLOAD_LIFE.total_seconds()))
    Photo.objects.create(key=key)
    return key, url


def attach(submission: Submission, keys: Sequence[str]) -> None:
    """Give a stored submission its photos, in its transaction.

    A key is as secret as the guest keeps it, and taken once. One that is taken or deleted is left out: a submission is
    never refused for a photo.
    """
    if keys:
        Photo.objects.filter(key__in=keys, submission=None, delete_at=None).update(submission=submission)


def view_urls(submission: Submission) -> list[str]:
    """Return a URL for each photo of a submission, valid for VIEW_LIFE. Raises StorageError without credentials."""
    keys = list(submission.photos.values_list("key", flat=True)) if is_on() else []
    if not keys:
        return []
    where = storage()
    return [where.view_url(key, int(VIEW_LIFE.total_seconds())) for key in keys]


def queue_deletion(photos: QuerySet[Photo]) -> int:
    """Take photos from their submissions and have the job delete them. Return their number."""
    return photos.update(submission=None, delete_at=timezone.now())


def queue_erased() -> int:
    """Queue the photos of submissions that the release before erased, which knows no photos. Return their number."""
    return queue_deletion(Photo.objects.filter(submission__erased_at__isnull=False))
