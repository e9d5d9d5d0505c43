"""Branches: the form of head office, and the cards with a QR code for the tables."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mydjango.operations.public_url import absolute_url
from survey.guest.fields import EMAIL_ERRORS, TEXT_ERRORS
from survey.models import CODE_ERROR, Branch
from survey.table_number import parse_table_number, query_of

if TYPE_CHECKING:
    from segno import QRCode

BORDER = 4  # modules around a code, as its standard wants
PIXELS = 24  # of a module
LARGEST_NUMBER = 9_999  # of a table
MOST_TABLES = 1_000  # of which cards are made at a time


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


class TablesForm(forms.Form):
    """The tables of a branch to print cards for: numbers from first to last, each behind the same letters."""

    first = forms.IntegerField(label=gettext_lazy("First table"), min_value=0, max_value=LARGEST_NUMBER)
    last = forms.IntegerField(label=gettext_lazy("Last table"), min_value=0, max_value=LARGEST_NUMBER)
    letters = forms.CharField(
        label=gettext_lazy("Prefix"),
        required=False,
        max_length=10,
        help_text=gettext_lazy("Such as A for tables A1, A2 and so on."),
    )

    def clean_letters(self) -> str:
        typed = str(self.cleaned_data["letters"])
        prefix = parse_table_number(typed)
        if typed and not prefix:
            raise forms.ValidationError(_("A number has letters, digits and hyphens only."))
        return prefix

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = cleaned.get("first"), cleaned.get("last")
        if first is not None and last is not None:
            if last < first:
                self.add_error("last", _("The last table comes before the first one."))
            elif last - first >= MOST_TABLES:
                self.add_error("last", _("Choose at most %(tables)d tables at a time.") % {"tables": MOST_TABLES})
        return cleaned

    @property
    def tables(self) -> list[str]:
        """The numbers of the tables; none before the form is filled in."""
        if not self.is_valid():
            return []
        numbers = range(self.cleaned_data["first"], self.cleaned_data["last"] + 1)
        return [f"{self.cleaned_data['letters']}{number}" for number in numbers]


class Card(NamedTuple):
    """A card for a table, or for all tables, with its link, and the QR code of it as SVG."""

    branch: Branch
    table: str
    link: str
    code: str


def link_of(request: HttpRequest, branch: Branch) -> str:
    """Return the absolute short link of a branch, which is printed on its card."""
    return absolute_url(request, f"/s/{branch.code}")


def card_of(request: HttpRequest, branch: Branch, table: str = "") -> Card:
    """Return the card of a branch, or of one of its tables."""
    link = link_of(request, branch)
    if table:
        link += f"?{query_of(table).lstrip('&')}"
    code = _qr_code(link).svg_inline(border=BORDER, omitsize=True, light="#fff", lineclass=None)
    return Card(branch, table, link, code)


def card_png(request: HttpRequest, branch: Branch) -> bytes:
    """Return the QR code of a branch as PNG, about a thousand pixels wide: programs for print take no inline SVG."""
    image = io.BytesIO()
    _qr_code(link_of(request, branch)).save(image, kind="png", scale=PIXELS, border=BORDER)
    return image.getvalue()


def _qr_code(link: str) -> QRCode:
    """Return the code of a link; a quarter of it (error correction Q) may be scratched or stained on a table."""
    import segno  # only cards need it

    return segno.make(link, error="q", micro=False)
