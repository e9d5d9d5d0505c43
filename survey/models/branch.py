"""Branches, and the staff who see them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import connection, models
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from survey.addresses import validate_mail_address
from survey.chain import text_in

RESERVED_CODES = ("add",)  # /dashboard/branches/add/
CODE_ERROR = _("Please use letters, digits and hyphens only.")
ADDRESS_ERROR = _("Please check the address; it should look like https://example.com.")


class Branch(models.Model):
    """One restaurant of the chain."""

    code = models.SlugField(_("code"), max_length=32, unique=True)  # never changes: it is printed on table cards
    name = models.CharField(pgettext_lazy("of a branch", "name"), max_length=64)
    name_en = models.CharField(_("English name"), max_length=64, blank=True)
    # Independent of staff accounts: a branch has an address before it has accounts, often one for several people.
    manager_email = models.EmailField(_("manager's e-mail"), blank=True, validators=[validate_mail_address])
    # Shown under the thanks: a voucher, a wish, the label of the link.
    thanks_text = models.CharField(_("words under the thanks"), max_length=200, blank=True, default="", db_default="")
    thanks_text_en = models.CharField(
        _("English words under the thanks"), max_length=200, blank=True, default="", db_default=""
    )
    thanks_url = models.CharField(
        _("link under the thanks"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        validators=[URLValidator(["https"], message=ADDRESS_ERROR)],
    )
    # A closed branch keeps its submissions; its page tells guests that it has closed.
    is_open = models.BooleanField(_("in business"), default=True)
    # NULL also for a branch that the release before closed.
    closed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("branch")
        verbose_name_plural = _("branches")
        ordering = ("code",)
        permissions = (("act_for_head_office", _("Acts for head office: sees every branch, adds branches and staff")),)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Note the time when the branch closes: pages that guests opened before may still be sent."""
        if self.is_open:
            self.closed_at = None
        elif self.closed_at is None:
            self.closed_at = timezone.now()
        super().save(*args, **kwargs)

    @classmethod
    def by_code(cls, code: str) -> Branch | None:
        """Return the branch with a code, ignoring case; of two old codes that differ in case only, the exact one.

        A raw query: building `code__iexact` takes a third of the CPU of a branch's page (benchmarks/warm.py).
        """
        statement = f"SELECT * FROM survey_branch WHERE code {connection.operators['iexact']}"  # noqa: S608
        found = cls.objects.raw(statement, [connection.ops.prep_for_iexact_query(code)])
        return min(found, key=lambda branch: branch.code != code, default=None)

    def clean(self) -> None:
        """Convert the code of a new branch to lower case. Raises ValidationError for a code that links cannot hold."""
        if not self._state.adding or not self.code:  # an empty code is the field's error
            return
        self.code = self.code.lower()
        if "_" in self.code:  # Django's slugs may have one, but the underline of a link hides it
            raise ValidationError({"code": CODE_ERROR})
        if not any(character.isalnum() for character in self.code):
            raise ValidationError({"code": _("The code needs a letter or a digit.")})
        if self.code in RESERVED_CODES:
            raise ValidationError({"code": _("This code is a page's address. Choose another.")})
        if Branch.by_code(self.code):
            raise ValidationError({"code": _("There is a branch with this code already.")})

    @property
    def local_name(self) -> str:
        """The name in the current language."""
        return self._local(self.name, self.name_en)

    @property
    def local_thanks_text(self) -> str:
        """The words under the thanks in the current language; '' without any."""
        return self._local(self.thanks_text, self.thanks_text_en)

    @staticmethod
    def _local(chinese: str, english: str) -> str:
        return text_in(get_language() or "", chinese, english)


class Membership(models.Model):
    """A staff member's right to see the submissions of a branch."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"))
    branch = models.ForeignKey(Branch, models.CASCADE, verbose_name=_("branch"))

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (models.UniqueConstraint(fields=("user", "branch"), name="one_membership_per_branch"),)

    def __str__(self) -> str:
        return f"{self.user} {self.branch}"
