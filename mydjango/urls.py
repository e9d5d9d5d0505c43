"""The project's URLs.

The text endpoints come first: a path that gets as far as the first `deferred_include` imports the models.
"""

from __future__ import annotations

from django.urls import include, path

from mydjango.cold_start.deferred_urls import deferred_include

urlpatterns = [
    path("", include("survey.text.urls")),
    deferred_include("healthz", "mydjango.operations.health"),
    deferred_include("", "survey.guest.urls"),
    deferred_include("dashboard/", "survey.staff.urls", namespace="dashboard"),
    deferred_include("admin/", "mydjango.admin_urls", namespace="admin"),
]

handler400 = "mydjango.http.problems.bad_request"
handler403 = "mydjango.http.problems.permission_denied"
handler404 = "mydjango.http.problems.page_not_found"
handler500 = "mydjango.http.problems.server_error"
