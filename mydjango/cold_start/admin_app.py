"""Django's admin app without its autodiscovery, so that a guest's request imports no admin classes."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class AdminConfig(AppConfig):
    """Django's SimpleAdminConfig, whose module would import the whole admin; mydjango/admin_urls.py autodiscovers."""

    name = "django.contrib.admin"
    verbose_name = _("Administration")
    default_auto_field = "django.db.models.AutoField"
    default_site = "django.contrib.admin.sites.AdminSite"

    def ready(self) -> None:
        checks.register(check_admin, checks.Tags.admin)


def check_admin(**options: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Run the admin's own checks after collecting the admin classes that they examine."""
    from django.contrib.admin import autodiscover
    from django.contrib.admin.checks import check_admin_app, check_dependencies

    autodiscover()
    return [*check_dependencies(**options), *check_admin_app(**options)]
