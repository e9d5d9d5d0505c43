"""Login, logout, passwords and language, which are Django's own views with our templates, and the account page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.models import User
from django.contrib.messages.views import SuccessMessageMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.i18n import set_language

from mydjango.http.language import without_language
from mydjango.http.problems import allow
from survey import limits
from survey.addresses import canonical_name
from survey.staff.access import account_of, staff_view
from survey.staff.accounts import AccountForm
from survey.staff.login import LoginForm, PasswordMailForm, client_address
from survey.staff.views.page import filter_form, page_context


class LoginView(views.LoginView):
    """Log in. The status is 429 for a throttled attempt and 400 for a failed one."""

    template_name = "staff/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_invalid(self, form: Any) -> HttpResponse:  # noqa: ANN401
        response = super().form_invalid(form)
        response.status_code = 429 if form.has_error("__all__", code="throttled") else 400
        return response


class PasswordForgottenView(views.PasswordResetView):
    """Ask for a new password; the response does not reveal whether the address has an account."""

    template_name = "staff/password_forgotten.html"
    form_class = PasswordMailForm
    success_url = reverse_lazy("dashboard:password_sent")

    def form_valid(self, form: Any) -> HttpResponse:  # noqa: ANN401
        email = canonical_name(form.cleaned_data["email"])
        try:
            limits.count_attempt("password mail", email, client_address(self.request))
        except limits.TooManyAttempts as error:
            form.add_error(None, error.message)
            return self.render_to_response(self.get_context_data(form=form), status=429)
        return super().form_valid(form)


class PasswordChangeView(SuccessMessageMixin, views.PasswordChangeView):  # type: ignore[type-arg]
    """Change one's own password."""

    template_name = "staff/password_change.html"
    success_url = reverse_lazy("dashboard:account")
    success_message = gettext_lazy("Password saved.")


class PasswordChooseView(SuccessMessageMixin, views.PasswordResetConfirmView):  # type: ignore[type-arg]
    """Choose a password with the link of a mail, and log in."""

    template_name = "staff/password_choose.html"
    success_url = reverse_lazy("dashboard:today")
    success_message = gettext_lazy("Password saved.")
    post_reset_login = True

    def get_user(self, uidb64: str) -> User | None:
        """Return the link's account if it may log in: Django's view sets a deactivated account's password too."""
        user = super().get_user(uidb64)
        return user if user is not None and user.is_active else None


@staff_view
def account(request: HttpRequest) -> HttpResponse:
    """Show and store what staff choose for themselves."""
    user = account_of(request)
    language = translation.get_language() or settings.LANGUAGE_CODE
    form = AccountForm(request.POST if request.method == "POST" else None, user, language)
    if form.is_valid():
        form.save()
        messages.success(request, gettext("Saved."))
        return redirect("dashboard:account")
    context = page_context(request, filter_form(request)) | {"account_form": form}
    return render(request, "staff/account.html", context, status=400 if form.errors else 200)


login = LoginView.as_view()
logout = never_cache(views.LogoutView.as_view())


@never_cache
def language(request: HttpRequest) -> HttpResponseBase:
    """Store the chosen language, and redirect to the page without the language that its URL may name."""
    response = set_language(request)
    if "Location" in response:
        response["Location"] = without_language(response["Location"])
    return response


password_choose = PasswordChooseView.as_view()
password_change = never_cache(PasswordChangeView.as_view())
password_forgotten = never_cache(PasswordForgottenView.as_view())
password_sent = never_cache(allow("GET")(views.PasswordResetDoneView.as_view(template_name="staff/password_sent.html")))
