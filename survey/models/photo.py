"""Photos of submissions: the keys of objects that browsers upload to object storage."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey.models.submission import Submission


class Photo(models.Model):
    """An object that may be in the storage: the row is written before the upload and deleted after the object.

    Without a submission the photo was not sent yet, or it is to be deleted.
    """

    key = models.CharField(_("key"), max_length=64, unique=True, editable=False)
    submission = models.ForeignKey(
        Submission,
        models.SET_NULL,
        db_column="response_id",
        null=True,
        blank=True,
        related_name="photos",
        verbose_name=_("submission"),
    )
    created_at = models.DateTimeField(_("permitted"), default=timezone.now, editable=False)
    # When the object is to be deleted, or tried again; None: it stays. Erasure sets it and waits for no storage.
    delete_at = models.DateTimeField(_("to be deleted"), null=True, editable=False, db_index=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    last_error = models.CharField(_("last error"), max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.key
