"""The project's URLs.

What needs no models comes first: they are imported for the first path that gets as far as a `deferred_include`.
"""

from __future__ import annotations

from django.urls import include, path

from mydjango.cold_start import deferred_include

urlpatterns = [
    path("", include("survey.text.urls")),
    deferred_include("healthz", "mydjango.health"),
    deferred_include("", "survey.urls"),
    deferred_include("dashboard/", "survey.dashboard_urls", namespace="dashboard"),
    deferred_include("admin/", "mydjango.admin_urls", namespace="admin"),
]

handler400 = "mydjango.problems.bad_request"
handler403 = "mydjango.problems.permission_denied"
handler404 = "mydjango.problems.page_not_found"
handler500 = "mydjango.problems.server_error"
