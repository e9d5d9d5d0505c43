"""The project's URLs."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from mydjango.health import healthz

urlpatterns = [
    path("", include("survey.text.urls")),
    path("", include("survey.urls")),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
]

handler400 = "mydjango.problems.bad_request"
handler403 = "mydjango.problems.permission_denied"
handler404 = "mydjango.problems.page_not_found"
handler500 = "mydjango.problems.server_error"
