"""URLs of Django's admin; importing this collects every app's admin classes."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import path

from mydjango.http.problems import allow

admin.autodiscover()


@allow("GET")
def login(request: HttpRequest) -> HttpResponseBase:
    """The one login, which is throttled; who is logged in and sent here may not see the admin."""
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(request.GET.get("next", "/admin/"))


urlpatterns = [path("login/", login), *admin.site.urls[0]]
