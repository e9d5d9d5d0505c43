"""Erasures: guests' requests, and the log of who erased which submission."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey.models.submission import Submission


class ErasureRequest(models.Model):
    """A guest's request, by reference and phone number, to have a submission erased; deleted when staff decide.

    Without a submission, the details matched none. The request is stored all the same, so that right and wrong details
    take the same statements and the same time; a timer deletes it.
    """

    submission = models.ForeignKey(
        Submission,
        models.CASCADE,
        db_column="response_id",
        null=True,
        related_name="erasure_requests",
        verbose_name=_("submission"),
    )
    created_at = models.DateTimeField(_("requested"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("erasure request")
        verbose_name_plural = _("erasure requests")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.submission_id} {self.created_at:%Y-%m-%d}"


class ErasureLog(models.Model):
    """Who had which submission erased, and when; holds no personal data and outlives the erasure.

    Erasures by age are not logged: there are as many as submissions, and `erased_at` dates them.
    """

    class Event(models.TextChoices):
        """The outcome, and who asked for it."""

        TOKEN = "token", _("erased by the guest")
        REQUEST = "request", _("erased at the guest's request")
        STAFF = "staff", _("erased by staff")
        COMMAND = "command", _("erased by command")
        DECLINED = "declined", _("request declined")

    submission = models.ForeignKey(
        Submission, models.PROTECT, db_column="response_id", related_name="erasure_log", verbose_name=_("submission")
    )
    event = models.CharField(_("event"), max_length=10, choices=Event.choices)
    # None for a guest or a command.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("user"))
    created_at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.submission_id} {self.event}"
