"""Branches, and which staff see which."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from survey.addresses import validate_mail_address

RESERVED_CODES = ("add",)  # /dashboard/branches/add/
CODE_ERROR = _("Please use letters, digits and hyphens only.")


class Branch(models.Model):
    """One restaurant of the chain."""

    code = models.SlugField(_("code"), max_length=32, unique=True)  # in links and on table cards: never changed
    name = models.CharField(pgettext_lazy("of a branch", "name"), max_length=64)
    name_en = models.CharField(_("English name"), max_length=64, blank=True)
    # Not a staff member's address: a branch has one before it has accounts, and often one mailbox for several people.
    manager_email = models.EmailField(_("manager's e-mail"), blank=True, validators=[validate_mail_address])
    # A branch that closed keeps its answers; its link says so.
    is_open = models.BooleanField(_("in business"), default=True)

    class Meta:
        verbose_name = _("branch")
        verbose_name_plural = _("branches")
        ordering = ("code",)
        permissions = (("act_for_head_office", _("Acts for head office: sees every branch, adds branches and staff")),)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of_code(cls, code: str) -> Branch | None:
        """The branch of a code as somebody typed it, capitals or not; of two old ones that differ in them, its own."""
        return min(cls.objects.filter(code__iexact=code), key=lambda branch: branch.code != code, default=None)

    def clean(self) -> None:
        """A new branch has a code that can stand in a link and in a filter, in lower case, and nobody else's."""
        if not self._state.adding or not self.code:  # empty: its field has found it wrong
            return
        self.code = self.code.lower()
        if "_" in self.code:  # the field's slugs may have one; under a link's line it cannot be seen
            raise ValidationError({"code": CODE_ERROR})
        if not any(character.isalnum() for character in self.code):
            raise ValidationError({"code": _("The code needs a letter or a digit.")})
        if self.code in RESERVED_CODES:
            raise ValidationError({"code": _("This code is a page's address. Choose another.")})
        if Branch.of_code(self.code):
            raise ValidationError({"code": _("There is a branch with this code already.")})

    @property
    def local_name(self) -> str:
        """The name in the language of this request."""
        is_chinese = (get_language() or "").startswith("zh")
        return self.name if is_chinese else self.name_en or self.name


class Membership(models.Model):
    """A staff member who may see the answers of a branch."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"))
    branch = models.ForeignKey(Branch, models.CASCADE, verbose_name=_("branch"))

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (models.UniqueConstraint(fields=("user", "branch"), name="one_membership_per_branch"),)

    def __str__(self) -> str:
        return f"{self.user} {self.branch}"
