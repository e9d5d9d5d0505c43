"""The mail queue."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from survey.models.outgoing import Outgoing
from survey.models.submission import Submission


class OutgoingMail(Outgoing):
    """A mail, queued in the transaction of its submission or account and sent outside the request."""

    class Kind(models.TextChoices):
        """The reason for a mail."""

        RECEIPT = "receipt", _("receipt")
        ALERT = "alert", _("alert")
        ACCOUNT = "account", _("account")

    # None for mail about a staff account, such as a password reset.
    submission = models.ForeignKey(
        Submission,
        models.CASCADE,
        db_column="response_id",
        null=True,
        blank=True,
        related_name="mails",
        verbose_name=_("submission"),
    )
    # None for mails about submissions, and for those that the release before queued. No constraint: that release
    # deletes accounts without their mails. No index: only the deletion of an account queries by it.
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("account"),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    recipient = models.EmailField(_("recipient"))
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("body"))  # an account's mail: without its link, see mail/account_links.py
    # Fixed when queued: copies of a mail that was sent twice share it, and mail programs show one of them.
    message_id = models.CharField(_("Message-ID"), max_length=255, unique=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("status", "next_attempt_at"), name="outbox_due"),
            models.Index(fields=("recipient",), name="outbox_recipient"),  # for the admin's search
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"
