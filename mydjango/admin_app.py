"""Django's admin without its start: guests do not wait for staff's forms."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class AdminConfig(SimpleAdminConfig):
    """The admin, whose classes are collected for its first URL and for `manage.py check`."""

    def ready(self) -> None:
        """Register the admin's checks."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_discovered, checks.Tags.admin)


def check_discovered(**options: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """The admin's own check, after the classes that it checks were collected."""
    autodiscover()
    messages: list[checks.CheckMessage] = check_admin_app(**options)
    return messages
