"""URLs of Django's admin; importing this collects every app's admin classes."""

from __future__ import annotations

from django.contrib import admin

admin.autodiscover()

urlpatterns = admin.site.urls[0]
