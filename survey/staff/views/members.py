"""Staff accounts, for head office."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from mydjango.http.problems import allow
from survey.staff.access import head_office_view
from survey.staff.accounts import StaffForm, invite, is_in_head_office
from survey.staff.views.page import filter_form, page_context


@allow("GET")
@head_office_view
def staff(request: HttpRequest) -> HttpResponse:
    """List the accounts with their roles and branches."""
    users = User.objects.order_by("-is_active", "first_name", "username")
    members = [(user, is_in_head_office(user)) for user in users.prefetch_related("groups", "membership_set__branch")]
    return render(request, "staff/staff.html", page_context(request, filter_form(request)) | {"members": members})


@head_office_view
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change an account, but not that of a superuser, which only Django's admin changes."""
    user = get_object_or_404(User, pk=pk, is_superuser=False) if pk else None
    form = StaffForm(request.POST or None, instance=user, request=request)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(
            request, _("Saved.") if user else _("Saved. A mail is on its way, by which a password can be chosen.")
        )
        return redirect("dashboard:staff")
    context = page_context(request, filter_form(request)) | {"staff_form": form, "member": user}
    return render(request, "staff/staff_member.html", context, status=400 if form.errors else 200)


@head_office_view
@allow("POST")
def invite_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Repeat the invitation of an account that has never logged in."""
    invite(request, get_object_or_404(User, pk=pk, is_superuser=False, is_active=True, last_login=None))
    messages.success(request, _("The invitation is on its way again."))
    return redirect("dashboard:staff")
