"""Branches: the form of head office, and the cards with a QR code for the tables."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from mydjango.operations.public_url import absolute_url
from survey.guest.forms import EMAIL_ERRORS, TEXT_ERRORS
from survey.models import CODE_ERROR, Branch


class BranchForm(forms.ModelForm):  # type: ignore[type-arg]
    """A branch. Its code never changes, since it is printed on cards."""

    class Meta:
        model = Branch
        fields = ("code", "name", "name_en", "manager_email", "thanks_text", "thanks_text_en", "thanks_url", "is_open")
        help_texts = {  # noqa: RUF012
            "code": gettext_lazy("Letters, digits and hyphens; stands in the link and on the card, never changes."),
            "manager_email": gettext_lazy("Low scores are reported to this address."),
            "thanks_text": gettext_lazy("Such as the words of a voucher; guests see them after they have answered."),
            "thanks_url": gettext_lazy("Such as a page for reviews; the words above become its link."),
            "is_open": gettext_lazy("A closed branch takes no answers and keeps those it has."),
        }
        error_messages = {  # noqa: RUF012
            "code": {**TEXT_ERRORS, "invalid": CODE_ERROR},
            "name": TEXT_ERRORS,
            "name_en": TEXT_ERRORS,
            "manager_email": EMAIL_ERRORS,
            "thanks_text": TEXT_ERRORS,
            "thanks_text_en": TEXT_ERRORS,
            "thanks_url": TEXT_ERRORS,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.fields["code"].disabled = bool(self.instance.pk)


class Card(NamedTuple):
    """A card for the tables, with its link, and the QR code of it as SVG."""

    branch: Branch
    link: str
    code: str


def link_of(request: HttpRequest, branch: Branch) -> str:
    """Return the absolute short link of a branch, which is printed on its card."""
    return absolute_url(request, f"/s/{branch.code}")


def card_of(request: HttpRequest, branch: Branch) -> Card:
    """Return the card of a branch."""
    import segno  # only cards need it

    link = link_of(request, branch)
    # Error correction Q: a quarter of a code may be scratched or stained, as happens on a table.
    code = segno.make(link, error="q", micro=False)
    return Card(branch, link, code.svg_inline(border=4, omitsize=True, light="#fff", lineclass=None))
