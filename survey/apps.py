"""The survey app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SurveyConfig(AppConfig):
    """Guests' answers, the mails that follow from them, and Chinese text analysis."""

    name = "survey"
    verbose_name = _("Survey")

    def ready(self) -> None:
        """Hold the accounts of Django's admin and of `createsuperuser` to the addresses that mail can be sent to."""
        from django.contrib.auth.models import User

        from survey.addresses import validate_mail_address

        User._meta.get_field("email").validators = [validate_mail_address]
