"""Staff accounts as head office keeps them: role, branches, and the mail with which an owner chooses a password."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mydjango.operations.public_url import absolute_url
from survey.addresses import canonical_name
from survey.guest.fields import EMAIL_ERRORS, TEXT_ERRORS, MailAddressField
from survey.mail import account_links, outbox
from survey.models import Branch, DigestSubscription, Membership, OutgoingMail
from survey.staff.access import account_of
from survey.staff.authentication import accounts_like

HEAD_OFFICE_GROUP = "head office"
# Beside the permissions to view. None on users: a permission to change these would suffice to become a superuser.
_PERMISSIONS = ("add_branch", "change_branch", "act_for_head_office", "change_outgoingmail", "erase_submission")


def head_office_group() -> Group:
    """Return the group whose members act for head office, with its permissions up to date."""
    group, _created = Group.objects.get_or_create(name=HEAD_OFFICE_GROUP)
    is_granted = Q(codename__startswith="view_") | Q(codename__in=_PERMISSIONS)
    group.permissions.set(Permission.objects.filter(is_granted, content_type__app_label="survey"))
    return group


def is_in_head_office(user: User) -> bool:
    """Return whether the account belongs to head office."""
    return user.is_superuser or any(group.name == HEAD_OFFICE_GROUP for group in user.groups.all())


def invite(request: HttpRequest, user: User) -> None:
    """Queue the mail with which the owner of a new account chooses a password."""
    queue_account_mail(request, user, _("Your account for the guest survey"), "mail/invitation.txt")


def queue_account_mail(request: HttpRequest, user: User, subject: str, template: str) -> OutgoingMail:
    """Queue a mail with which the user chooses a password, in the language of this request.

    Until it is sent, the address of the page that asks for a link stands in the link's place, see account_links.
    """
    body = _body(request, template, user)
    return outbox.queue(OutgoingMail.Kind.ACCOUNT, user.email, subject, body, unique=uuid.uuid4().hex, account=user)


def queue_password_request(request: HttpRequest, email: str) -> None:
    """Queue a request for a link: whether the address has an account, delivery looks up, so that no page tells."""
    body, unique = _body(request, "mail/password.txt"), account_links.request_id()
    outbox.queue(OutgoingMail.Kind.ACCOUNT, email, _("Choose a new password"), body, unique=unique)


def _body(request: HttpRequest, template: str, user: User | None = None) -> str:
    """Return the text of an account's mail with the page that asks for a link in the link's place."""
    page = absolute_url(request, reverse("dashboard:password_forgotten"))
    return render_to_string(template, {"user": user, "link": page})


class AccountForm(forms.Form):
    """What staff choose for themselves."""

    digest = forms.BooleanField(label=gettext_lazy("Mail me yesterday’s figures at 8:00"), required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language of the mail"), choices=settings.LANGUAGES)

    def __init__(self, data: QueryDict | None, user: User, language: str) -> None:
        self.user = user
        self.subscription = DigestSubscription.objects.filter(user=user).first()
        chosen = self.subscription.language if self.subscription else language
        super().__init__(data, initial={"digest": self.subscription is not None, "language": chosen})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("digest") and not self.user.email:
            self.add_error("digest", _("Your account has no e-mail address. Head office can add it."))
        return cleaned

    def save(self) -> None:
        """Store the wish for the digest, or delete it."""
        if self.cleaned_data["digest"]:
            DigestSubscription.objects.update_or_create(
                user=self.user, defaults={"language": self.cleaned_data["language"]}
            )
        elif self.subscription:
            self.subscription.delete()


class BranchesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Checkboxes of branches, labelled in the page's language."""

    def label_from_instance(self, obj: Branch) -> str:
        return obj.local_name


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """A staff account: owner, role and branches. The e-mail address is the login name."""

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
        """Return the address in lower case. Raises ValidationError if another account has it."""
        email = str(self.cleaned_data["email"]).lower()
        if accounts_like(email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("There is an account with this address already."))
        return email

    def clean(self) -> dict[str, Any]:
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
        """Save the account with its role, and invite the owner of a new one."""
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
