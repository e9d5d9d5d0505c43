"""The brand as head office edits it: names, colour and logo, with a preview."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey import chain, logo
from survey.chain import KeptBrand
from survey.guest.fields import TEXT_ERRORS
from survey.models import Brand

DEFAULT_COLOR = "#b3261e"  # of survey.css and dashboard.css


class BrandForm(forms.ModelForm):  # type: ignore[type-arg]
    """The one brand. The logo is uploaded, and travels in a hidden field from a preview to the next submit."""

    color = forms.RegexField(
        r"\A#[0-9a-fA-F]{6}\Z",
        label=gettext_lazy("Colour"),
        widget=forms.TextInput({"type": "color"}),
        error_messages={"invalid": gettext_lazy("Choose a colour such as #b3261e.")},
        help_text=gettext_lazy(
            "Buttons and links take this colour, darker or lighter where they would be hard to read."
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("Logo"),
        required=False,
        widget=forms.FileInput({"accept": ".svg,.png,image/svg+xml,image/png"}),
        help_text=gettext_lazy("An SVG or PNG file of at most 4 kB, since every guest loads it."),
    )
    without_logo = forms.BooleanField(label=gettext_lazy("Without a logo"), required=False)

    class Meta:
        model = Brand
        fields = ("name", "name_en", "color", "file", "without_logo", "logo")
        labels = {  # noqa: RUF012
            "name": gettext_lazy("Name of the chain"),
            "name_en": gettext_lazy("English name of the chain"),
        }
        error_messages = {"name": TEXT_ERRORS, "name_en": TEXT_ERRORS}  # noqa: RUF012
        widgets = {"logo": forms.HiddenInput}  # noqa: RUF012

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.initial["color"] = self.initial.get("color") or DEFAULT_COLOR

    def clean_color(self) -> str:
        """Return the colour; '' for the default, so that a release may change it."""
        color = str(self.cleaned_data["color"]).lower()
        return "" if color == DEFAULT_COLOR else color

    def clean_logo(self) -> str:
        """Return the data URI of the page before, if it is one that a form made."""
        uri = str(self.cleaned_data["logo"])
        try:
            return logo.data_uri(logo.content_of(uri)) if uri else ""
        except logo.UnsafeLogo:
            return ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file: UploadedFile | None = cleaned.get("file")
        if cleaned.get("without_logo"):
            cleaned["logo"] = ""
        elif file:
            try:
                cleaned["logo"] = logo.data_uri(file.read(logo.MAX_BYTES + 1))
            except logo.UnsafeLogo as error:
                self.add_error("file", _file_error(error))
        return cleaned

    @property
    def kept(self) -> KeptBrand:
        """The brand of the valid form."""
        return KeptBrand(*(self.cleaned_data[name] for name in KeptBrand._fields))

    def store(self) -> None:
        """Store the brand, and have this process read it again; others do within chain.LIFE seconds."""
        self.instance.pk = Brand.ONLY
        self.save()
        transaction.on_commit(chain.forget)


def _file_error(error: logo.UnsafeLogo) -> ValidationError:
    reason = str(error)
    if reason == "too large":
        return ValidationError(_("This file is larger than 4 kB. Simplify it, or save it smaller."))
    if reason == "not an SVG or PNG":
        return ValidationError(_("This is not an SVG or PNG file."))
    return ValidationError(
        _("The file holds %(part)s, which a logo must not. Export it as a plain SVG, or take a PNG.") % {"part": reason}
    )
