"""Robots in the groups where staff are, and the queue of their messages."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from survey.models.branch import Branch
from survey.models.outgoing import Outgoing
from survey.models.submission import Submission

SHOWN = 4  # characters at the end of a webhook address


class Robot(models.Model):
    """A robot of a group chat. Whoever has its address and its secret can write to the group: never show or log them.

    Without a branch it is head office's: it gets the low scores of every branch, and those that nobody followed up.
    """

    class Service(models.TextChoices):
        """The services whose robots are understood; see survey/robots/services.py."""

        WECOM = "wecom", _("WeCom")
        DINGTALK = "dingtalk", _("DingTalk")
        FEISHU = "feishu", _("Feishu")

    name = models.CharField(pgettext_lazy("of a robot", "name"), max_length=64)
    branch = models.ForeignKey(Branch, models.CASCADE, null=True, blank=True, verbose_name=_("branch"))
    service = models.CharField(_("service"), max_length=10, choices=Service.choices)
    webhook = models.CharField(_("webhook address"), max_length=500)
    secret = models.CharField(_("signing secret"), max_length=200, blank=True)
    # A robot of head office in a chain of many branches may get those alone that nobody followed up.
    gets_every_alert = models.BooleanField(_("reports every low score at once"), default=True)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("robot")
        verbose_name_plural = _("robots")
        ordering = ("branch__code", "id")

    def __str__(self) -> str:
        return self.name

    @property
    def shown_webhook(self) -> str:
        """The host and the end of the address, by which staff tell robots apart."""
        return f"{urlsplit(self.webhook).netloc}/…{self.webhook[-SHOWN:]}"

    def end_of_quiet(self, now: datetime) -> datetime | None:
        """Return when the quiet hours around `now` (local) end, None outside of them; they may pass midnight."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        clock, days = now.time(), 0
        if self.quiet_from < self.quiet_until:
            is_quiet = self.quiet_from <= clock < self.quiet_until
        else:
            is_quiet = clock >= self.quiet_from or clock < self.quiet_until
            days = int(clock >= self.quiet_from)
        return datetime.combine(now.date() + timedelta(days), self.quiet_until, now.tzinfo) if is_quiet else None


class RobotMessage(Outgoing):
    """A message of a robot. Its text is made on delivery, from the submission, and never stored."""

    class Kind(models.TextChoices):
        """The reason for a message."""

        ALERT = "alert", _("alert")
        ESCALATION = "escalation", _("escalation")
        TEST = "test", _("test")

    robot = models.ForeignKey(Robot, models.CASCADE, related_name="messages", verbose_name=_("robot"))
    # None for a test.
    submission = models.ForeignKey(
        Submission, models.CASCADE, null=True, related_name="robot_messages", verbose_name=_("submission")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)

    class Meta:
        verbose_name = _("message of a robot")
        verbose_name_plural = _("messages of robots")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("robot", "submission", "kind"), name="one_robot_message_of_a_kind"),
        )
        indexes = (
            models.Index(fields=("status", "next_attempt_at"), name="robot_due"),
            models.Index(fields=("robot", "sent_at"), name="robot_sent"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
