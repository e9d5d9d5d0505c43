"""Staff accounts: login, password by mail, and what head office enters about its staff."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm, UsernameField
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mydjango.operations.public_url import absolute_url
from survey import limits
from survey.addresses import canonical_name
from survey.guest.forms import EMAIL_ERRORS, TEXT_ERRORS, MailAddressField
from survey.mail import account_links, outbox
from survey.models import CODE_ERROR, Branch, Membership, OutgoingMail
from survey.staff.access import account_of
from survey.staff.authentication import accounts_like

HEAD_OFFICE_GROUP = "head office"
PASSWORD_MAIL_PAUSE = timedelta(minutes=5)  # between two mails to one address; a mail takes a minute or two
# In Django's admin: the records to look at, and what head office keeps up. Not users: who may change those may
# make himself anything; accounts are made on the staff page.
_CHANGES = ("add_branch", "change_branch", "act_for_head_office", "change_outgoingmail", "erase_submission")


def head_office_group() -> Group:
    """The group whose members act for head office, with its permissions."""
    group, _created = Group.objects.get_or_create(name=HEAD_OFFICE_GROUP)
    views = Permission.objects.filter(content_type__app_label="survey", codename__startswith="view_")
    changes = Permission.objects.filter(content_type__app_label="survey", codename__in=_CHANGES)
    group.permissions.set([*views, *changes])
    return group


def is_in_head_office(user: User) -> bool:
    """Whether the account belongs to head office."""
    return user.is_superuser or any(group.name == HEAD_OFFICE_GROUP for group in user.groups.all())


class LoginForm(AuthenticationForm):
    """The login, throttled."""

    username = UsernameField(
        label=gettext_lazy("E-mail address"),
        max_length=150,  # as User.username
        # Not type="email": the name of an account that createsuperuser made may be no address.
        widget=forms.TextInput({"autofocus": True, "inputmode": "email", "spellcheck": "false"}),
        error_messages=TEXT_ERRORS,
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        error_messages=TEXT_ERRORS,
    )
    # Django's asks to mind capitals, which do not matter in an address.
    error_messages = {  # noqa: RUF012
        **AuthenticationForm.error_messages,
        "invalid_login": gettext_lazy("The e-mail address or the password is not right."),
    }

    def clean(self) -> dict[str, Any]:
        """Count the attempt, then look at the password."""
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
        cleaned = super().clean()
        if self.get_user() is not None:  # a blank password is no error of clean(), and no login
            limits.reset_attempts("login", account, address)
        return cleaned


def client_address(request: HttpRequest | None) -> str:
    """The address the platform saw; never a forgeable header."""
    return str(request.META.get("REMOTE_ADDR", "")) if request else ""


class PasswordMailForm(PasswordResetForm):
    """Asks for a mail that lets its reader choose a password. It does the same for an address that nobody has."""

    email = MailAddressField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
        error_messages=EMAIL_ERRORS,
    )

    def save(self, *, request: HttpRequest, **options: object) -> None:  # type: ignore[override]
        """Queue a request for the address, at most one in PASSWORD_MAIL_PAUSE; whose it is, the drain looks up."""
        email = self.cleaned_data["email"]
        if limits.allow_once(f"password mail {canonical_name(email)}", PASSWORD_MAIL_PAUSE):
            body = _body(request, "mail/password.txt")
            outbox.queue(
                OutgoingMail.Kind.ACCOUNT, email, _("Choose a new password"), body, unique=account_links.request_id()
            )


def invite(request: HttpRequest, user: User) -> None:
    """Queue the mail by which the owner of a new account chooses a password."""
    queue_account_mail(request, user, _("Your account for the guest survey"), "mail/invitation.txt")


def queue_account_mail(request: HttpRequest, user: User, subject: str, template: str) -> OutgoingMail:
    """Queue a mail by which the user chooses a password, in the language of this request.

    Its link is made when it is sent; here the page that asks for one stands in its place, see account_links.
    """
    body = _body(request, template, user)
    return outbox.queue(OutgoingMail.Kind.ACCOUNT, user.email, subject, body, unique=uuid.uuid4().hex, account=user)


def _body(request: HttpRequest, template: str, user: User | None = None) -> str:
    """Return the text of an account's mail with the page that asks for a link in the link's place."""
    page = absolute_url(request, reverse("dashboard:password_forgotten"))
    return render_to_string(template, {"user": user, "link": page})


class BranchesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Branches to tick, by their names in the page's language."""

    def label_from_instance(self, obj: Branch) -> str:
        """The label of one."""
        return obj.local_name


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """A staff account: who, how to reach him, and what he may see. The e-mail address is the login name."""

    HEAD, MANAGER = "head", "manager"

    first_name = forms.CharField(label=gettext_lazy("Name"), max_length=64, error_messages=TEXT_ERRORS)
    email = MailAddressField(label=gettext_lazy("E-mail address"), max_length=150, error_messages=EMAIL_ERRORS)
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        widget=forms.RadioSelect,
        choices=(
            (MANAGER, gettext_lazy("Branch manager: sees the branches below")),
            (HEAD, gettext_lazy("Head office: sees every branch, adds branches and staff")),
        ),
        initial=MANAGER,
    )
    branches = BranchesField(
        label=gettext_lazy("Branches"),
        queryset=Branch.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    is_active = forms.BooleanField(label=gettext_lazy("May log in"), required=False, initial=True)

    class Meta:
        model = User
        fields = ("first_name", "email", "is_active")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.request = request
        if self.instance.pk:
            self.initial["role"] = self.HEAD if is_in_head_office(self.instance) else self.MANAGER
            self.initial["branches"] = Branch.objects.filter(membership__user=self.instance)

    def clean_email(self) -> str:
        """Return the address in lower case; it must be nobody else's."""
        email = str(self.cleaned_data["email"]).lower()
        if accounts_like(email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("There is an account with this address already."))
        return email

    def clean(self) -> dict[str, Any]:
        """A manager manages something, and nobody locks himself out."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("role") == self.MANAGER and not cleaned.get("branches"):
            self.add_error("branches", _("Choose at least one branch."))
        if self.instance == account_of(self.request) and (
            cleaned.get("role") != self.HEAD or not cleaned.get("is_active")
        ):
            self.add_error("role", _("This is your own account: somebody else has to take your rights away."))
        return cleaned

    @transaction.atomic
    def save(self, commit: bool = True) -> User:
        """The account with its role; a new one gets a mail by which its owner chooses a password."""
        user: User = super().save(commit=False)
        is_new = user.pk is None
        is_head = self.cleaned_data["role"] == self.HEAD
        user.username = canonical_name(user.email)
        user.is_staff = is_head  # Django's admin is head office's only
        if is_new:
            user.set_unusable_password()
        user.save()
        user.groups.set([head_office_group()] if is_head else [])
        Membership.objects.filter(user=user).delete()
        if not is_head:
            Membership.objects.bulk_create(
                Membership(user=user, branch=branch) for branch in self.cleaned_data["branches"]
            )
        if is_new:
            invite(self.request, user)
        return user


class BranchForm(forms.ModelForm):  # type: ignore[type-arg]
    """A branch. Its code stands on printed cards, so it never changes."""

    class Meta:
        model = Branch
        fields = ("code", "name", "name_en", "manager_email", "is_open")
        help_texts = {  # noqa: RUF012
            "code": gettext_lazy("Letters, digits and hyphens; stands in the link and on the card, never changes."),
            "manager_email": gettext_lazy("Low scores are reported to this address."),
            "is_open": gettext_lazy("A closed branch takes no answers and keeps those it has."),
        }
        error_messages = {  # noqa: RUF012
            "code": {**TEXT_ERRORS, "invalid": CODE_ERROR},
            "name": TEXT_ERRORS,
            "name_en": TEXT_ERRORS,
            "manager_email": EMAIL_ERRORS,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.fields["code"].disabled = bool(self.instance.pk)
