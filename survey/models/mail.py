"""The mail queue, and the staff who want the digest."""

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
        DIGEST = "digest", _("digest")

    # None for mails to staff, such as a password reset or a digest.
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


class DigestSubscription(models.Model):
    """A staff member's wish for the digest of the morning, in a language."""

    # No constraint: the release before deletes accounts without these rows.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False, verbose_name=_("user")
    )
    language = models.CharField(_("language"), max_length=10)
    # Set in the transaction that queues the mail, so that no day has two.
    queued_on = models.DateField(_("last queued for"), null=True, editable=False)

    class Meta:
        verbose_name = _("digest subscription")
        verbose_name_plural = _("digest subscriptions")

    def __str__(self) -> str:
        return f"{self.user_id} {self.language}"
