"""URLs of Django's admin. Importing this module collects the admin classes of all apps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponsePermanentRedirect
from django.urls import URLPattern, path, re_path, reverse

from mydjango.http.problems import allow

admin.autodiscover()


@allow("GET")
def login(request: HttpRequest) -> HttpResponseBase:
    """Redirect to the staff's login, which is throttled. Raises Http404 for accounts without access to the admin."""
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(request.GET.get("next", "/admin/"))


def redirect_renamed(request: HttpRequest, rest: str, *, changelist: str) -> HttpResponsePermanentRedirect:
    """Redirect an address of a renamed model to the same page below its present address."""
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(reverse(changelist) + rest + ("?" + query if query else ""))


def renamed_models() -> Iterator[URLPattern]:
    """Yield a redirect for each model whose admin class names a `former_model_name`."""
    for model, model_admin in admin.site._registry.items():
        former_name = getattr(model_admin, "former_model_name", "")
        if former_name:
            view = partial(redirect_renamed, changelist=f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
            yield re_path(rf"^{model._meta.app_label}/{former_name}/(?P<rest>.*)$", view)


urlpatterns = [path("login/", login), *renamed_models(), *admin.site.urls[0]]
