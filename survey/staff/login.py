"""The login and password forms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm, UsernameField
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from survey import limits
from survey.addresses import canonical_name
from survey.guest.fields import EMAIL_ERRORS, TEXT_ERRORS, MailAddressField
from survey.staff.accounts import queue_password_request
from survey.staff.authentication import account_named

PASSWORD_MAIL_PAUSE = timedelta(minutes=5)  # between two mails to one account; a mail takes a minute or two


class LoginForm(AuthenticationForm):
    """The login form, with a limit on attempts."""

    username = UsernameField(
        label=gettext_lazy("E-mail address"),
        max_length=150,  # as User.username
        # Not type="email": createsuperuser makes accounts whose name is no address.
        widget=forms.TextInput({"autofocus": True, "inputmode": "email", "spellcheck": "false"}),
        error_messages=TEXT_ERRORS,
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        error_messages=TEXT_ERRORS,
    )
    # Django's own text says that capitals matter, which they do not in an address.
    error_messages = {  # noqa: RUF012
        **AuthenticationForm.error_messages,
        "invalid_login": gettext_lazy("The e-mail address or the password is not right."),
    }

    def clean(self) -> dict[str, Any]:
        account = canonical_name(self.cleaned_data.get("username", ""))
        address = client_address(self.request)
        if account and self.cleaned_data.get("password"):
            try:
                limits.count_attempt("login", account, address)
            except limits.TooManyAttempts as error:
                text = ngettext(
                    "Too many attempts. Try again in %(minutes)s minute, or have a new password sent to you.",
                    "Too many attempts. Try again in %(minutes)s minutes, or have a new password sent to you.",
                    error.minutes,
                )
                raise ValidationError(text % {"minutes": error.minutes}, code="throttled") from None
            found = account_named(self.cleaned_data["username"])
            # For "", which has no account either, Django takes as long as to compare a password.
            self.cleaned_data["username"] = found.username if found else ""
        cleaned = super().clean()
        if self.get_user() is not None:  # None for a blank password, which clean() accepts
            limits.reset_attempts("login", account, address)
        return cleaned


def client_address(request: HttpRequest | None) -> str:
    """Return the address that the platform saw, never that of a header, which a client can forge."""
    return str(request.META.get("REMOTE_ADDR", "")) if request else ""


class PasswordMailForm(PasswordResetForm):
    """The form that asks for a new password. Its mail is queued, so that timing reveals no account."""

    email = MailAddressField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
        error_messages=EMAIL_ERRORS,
    )

    def save(self, *, request: HttpRequest, **options: object) -> None:  # type: ignore[override]
        """Queue a request for the address, at most one in PASSWORD_MAIL_PAUSE; delivery looks up whose it is."""
        email = self.cleaned_data["email"]
        if limits.allow_once(f"password mail {canonical_name(email)}", PASSWORD_MAIL_PAUSE):
            queue_password_request(request, email)
