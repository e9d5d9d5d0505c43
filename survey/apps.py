"""The survey app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SurveyConfig(AppConfig):
    """Guests' answers, the mails that follow from them, and Chinese text analysis."""

    name = "survey"
    verbose_name = _("Survey")
