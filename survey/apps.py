"""Configuration of the survey app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SurveyConfig(AppConfig):
    """Guests' submissions, the mails and figures derived from them, and Chinese text analysis."""

    name = "survey"
    verbose_name = _("Survey")

    def ready(self) -> None:
        """Validate the addresses of accounts in Django's admin and in `createsuperuser` too."""
        from django.contrib.auth.models import User

        from survey.addresses import validate_mail_address

        User._meta.get_field("email").validators = [validate_mail_address]
