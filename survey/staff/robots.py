"""Robots: the form of head office, and how the messages of each one fare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.guest.fields import TEXT_ERRORS
from survey.models import Robot, RobotMessage
from survey.robots.addresses import WebhookError, host_of
from survey.robots.services import SERVICES


class SecretInput(forms.TextInput):
    """A field that never shows its value, neither the stored one nor one that was typed with an error elsewhere."""

    def format_value(self, value: Any) -> None:  # noqa: ANN401  (Django's signature)
        return None


class RobotForm(forms.ModelForm):  # type: ignore[type-arg]
    """A robot. Its address and secret are typed, never shown again, and kept where the fields are left empty."""

    class Meta:
        model = Robot
        fields = (
            *("name", "branch", "service", "webhook", "secret"),
            *("gets_every_alert", "quiet_from", "quiet_until", "is_active"),
        )
        widgets = {  # noqa: RUF012
            "webhook": SecretInput({"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
            "secret": SecretInput({"autocomplete": "off", "spellcheck": "false"}),
            "quiet_from": forms.TimeInput({"type": "time"}, format="%H:%M"),
            "quiet_until": forms.TimeInput({"type": "time"}, format="%H:%M"),
        }
        help_texts = {  # noqa: RUF012
            "name": gettext_lazy("Such as the name of its group."),
            "branch": gettext_lazy("Head office's robots get the low scores of every branch."),
            "secret": gettext_lazy(
                "DingTalk and Feishu show one when signatures are switched on. Leave it empty without one."
            ),
            "gets_every_alert": gettext_lazy(
                "Off: a robot of head office gets those alone that nobody has followed up in time."
            ),
            "quiet_from": gettext_lazy("Alerts of these hours arrive when they end."),
        }
        error_messages = {"name": TEXT_ERRORS, "webhook": TEXT_ERRORS, "secret": TEXT_ERRORS}  # noqa: RUF012

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.fields["branch"].empty_label = _("Head office")  # type: ignore[attr-defined]
        if self.instance.pk:
            self.fields["webhook"].required = False
            self.fields["webhook"].help_text = _(
                "Now %(address)s. Leave it empty to keep it; with a new one, type its secret too."
            ) % {"address": self.instance.shown_webhook}
            if self.instance.secret:
                self.fields["secret"].help_text = _("One is stored. Leave it empty to keep it.")
        self.initial.update(webhook="", secret="")
        self._kept = (self.instance.webhook, self.instance.secret)

    def clean_webhook(self) -> str:
        typed = str(self.cleaned_data["webhook"]).strip()
        if typed:
            try:
                host_of(typed)
            except WebhookError as error:
                raise forms.ValidationError(
                    _("Copy the address from the group's settings; it begins with https:// and the service's host.")
                ) from error
        return typed

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        webhook, secret = self._kept
        if "webhook" in cleaned:
            if cleaned["webhook"]:
                webhook, secret = cleaned["webhook"], ""
            cleaned |= {"webhook": webhook, "secret": cleaned.get("secret") or secret}
            service = cleaned.get("service")
            of_host = [name for name, known in SERVICES.items() if host_of_or_none(webhook) == known.host]
            if service and of_host and service not in of_host:
                self.add_error("service", _("The address belongs to another service."))
        if bool(cleaned.get("quiet_from")) != bool(cleaned.get("quiet_until")):
            self.add_error("quiet_until", _("Quiet hours need a beginning and an end."))
        elif cleaned.get("quiet_from") and cleaned.get("quiet_from") == cleaned.get("quiet_until"):
            self.add_error("quiet_until", _("Quiet hours end at another time than they begin."))
        return cleaned

    def save(self, commit: bool = True) -> Robot:
        """Save the robot. What waits for the end of its quiet hours, or for a retry, is looked at again."""
        robot: Robot = super().save(commit)
        RobotMessage.objects.filter(robot=robot, status=RobotMessage.Status.QUEUED).update(
            next_attempt_at=timezone.now()
        )
        return robot


def host_of_or_none(webhook: str) -> str | None:
    """Return the host of an address; None for one that no robot may have any more."""
    try:
        return host_of(webhook)[0]
    except WebhookError:
        return None


@dataclass
class Row:
    """A robot with the numbers of its messages that wait and that were given up, the last one sent, the last error."""

    robot: Robot
    waiting: int = 0
    given_up: int = 0
    sent_at: datetime | None = None
    error: str = ""


def rows() -> list[Row]:
    """Return every robot, those of head office first."""
    by_robot = {robot.pk: Row(robot) for robot in Robot.objects.select_related("branch")}
    alerts = RobotMessage.objects.exclude(kind=RobotMessage.Kind.TEST).order_by()
    counted = alerts.values_list("robot", "status").annotate(Count("pk"), Max("sent_at"))
    for robot, status, count, sent_at in counted:
        row = by_robot[robot]
        if status == RobotMessage.Status.QUEUED:
            row.waiting = count
        elif status == RobotMessage.Status.FAILED:
            row.given_up = count
        else:
            row.sent_at = sent_at
    failing = RobotMessage.objects.exclude(last_error="").exclude(status=RobotMessage.Status.SENT).order_by()
    latest = failing.values_list("robot").annotate(Max("pk")).values_list("pk__max", flat=True)
    for message in RobotMessage.objects.filter(pk__in=list(latest)):
        by_robot[message.robot_id].error = message.last_error
    return sorted(by_robot.values(), key=lambda row: (row.robot.branch is not None, row.robot.pk))
