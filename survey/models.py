"""What is stored: branches, guests' answers, and the mails that follow from them."""

from __future__ import annotations

import secrets

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Without 0, 1, I, L, O, U: read aloud, typed from paper, never a word. 30 ** 8 is 6.5e11.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 8
COMMENT_MAX_LENGTH = 2_000

# Lenient on purpose: a chain has guests from abroad, and a number nobody can call loses less than an answer refused.
phone_validator = RegexValidator(
    r"\A\+?[0-9](?:[ ()-]?[0-9]){4,19}\Z", _("Give a phone number of 5 to 20 digits, with or without country code.")
)


def make_reference() -> str:
    """A random reference such as `7KQ2MXRA`, which a guest can quote."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _position in range(REFERENCE_LENGTH))


class Branch(models.Model):
    """One restaurant of the chain."""

    code = models.SlugField(_("code"), max_length=32, unique=True)  # in links and on table cards: never changed
    name = models.CharField(_("name"), max_length=64)

    class Meta:
        verbose_name = _("branch")
        verbose_name_plural = _("branches")
        ordering = ("code",)

    def __str__(self) -> str:
        return self.name


class Satisfaction(models.IntegerChoices):
    """Overall satisfaction, the scale of CSAT."""

    VERY_DISSATISFIED = 1, _("Very dissatisfied")
    DISSATISFIED = 2, _("Dissatisfied")
    NEUTRAL = 3, _("So-so")
    SATISFIED = 4, _("Satisfied")
    VERY_SATISFIED = 5, _("Very satisfied")


class Response(models.Model):
    """One guest's answer. Name, phone, e-mail and comment are personal data: never logged, erasable."""

    reference = models.CharField(_("reference"), max_length=16, unique=True, default=make_reference, editable=False)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, verbose_name=_("branch"))
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction"), choices=Satisfaction.choices)
    name = models.CharField(_("name"), max_length=64)
    phone = models.CharField(_("phone"), max_length=40, validators=[phone_validator])
    email = models.EmailField(_("e-mail"), blank=True)
    comment = models.TextField(_("comment"), blank=True, validators=[MaxLengthValidator(COMMENT_MAX_LENGTH)])
    language = models.CharField(_("language"), max_length=10, editable=False)
    created_at = models.DateTimeField(_("received"), default=timezone.now, editable=False)
    # Beside the instant: MySQL converts time zones only with tables that managed servers often lack.
    local_date = models.DateField(_("date"), default=timezone.localdate, editable=False, db_index=True)

    class Meta:
        verbose_name = _("response")
        verbose_name_plural = _("responses")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(satisfaction__gte=1, satisfaction__lte=5), name="satisfaction_between_1_and_5"
            ),
        )

    def __str__(self) -> str:
        return self.reference


class OutgoingMail(models.Model):
    """A mail that was promised in the same transaction as its answer, and is sent outside the request."""

    class Kind(models.TextChoices):
        """Why it is sent."""

        RECEIPT = "receipt", _("receipt")
        ALERT = "alert", _("alert")

    class Status(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", _("queued")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    response = models.ForeignKey(Response, models.CASCADE, related_name="mails", verbose_name=_("response"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    recipient = models.EmailField(_("recipient"))
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("body"))
    # Made when queued: should a mail go out twice, both copies carry it and mail programs show one.
    message_id = models.CharField(_("Message-ID"), max_length=255, unique=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    # SQLite has no row locks: there a drain claims a mail until this instant and sends it outside the transaction.
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("queued"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ("-id",)
        indexes = (models.Index(fields=("status", "next_attempt_at"), name="outbox_due"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"
