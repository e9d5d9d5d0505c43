"""The form fields of the project, with the error messages that they share."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.addresses import validate_mail_address
from survey.models import Branch
from survey.photos import KEY, MAX_PHOTOS
from survey.scales import ASPECTS, LOW_SCORES, Problem
from survey.table_number import parse_table_number

FormClass = TypeVar("FormClass", bound=type[forms.Form])

ASPECT_SCALE = (1, 5)
SCALES = {"satisfaction": (1, 5), "recommend": (0, 10), **dict.fromkeys(ASPECTS, ASPECT_SCALE)}
CORE_PROBLEMS = frozenset(problem.slug for problem in Problem)
# Django's messages speak of values and fields.
TEXT_ERRORS = {
    "required": gettext_lazy("Please fill this in."),
    "max_length": gettext_lazy("Please use at most %(limit_value)d characters; you used %(show_value)d."),
}
EMAIL_ERRORS = {
    **TEXT_ERRORS,
    "invalid": gettext_lazy("Please check the e-mail address; it should look like name@example.com."),
}


class SharedFields(dict[str, forms.Field]):
    """Fields that all forms of a class share. Django copies each for every form (`python -m benchmarks.warm`)."""

    def __deepcopy__(self, memo: dict[int, object]) -> dict[str, forms.Field]:
        return self.copy()


def share_fields(form: FormClass) -> FormClass:
    """Decorate a form class whose forms leave the fields as they are, and replace those that they change."""
    form.base_fields = SharedFields(form.base_fields)
    return form


class PhoneField(forms.CharField):
    """A phone number; full-width digits and signs, as Chinese keyboards type them, become plain ones."""

    def to_python(self, value: Any) -> str:  # noqa: ANN401  (Django's signature)
        return unicodedata.normalize("NFKC", super().to_python(value) or "").strip()


class MailAddressField(forms.EmailField):
    """An e-mail address with the stricter validator, for forms without a model."""

    default_validators = [validate_mail_address]  # noqa: RUF012


class CommentField(forms.CharField):
    """Text whose line breaks become LF: browsers send CR LF, which would count twice towards the maximum."""

    def to_python(self, value: Any) -> str:  # noqa: ANN401  (Django's signature)
        return (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")


class BranchField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A branch by its code, whatever the case."""

    def to_python(self, value: Any) -> Branch | None:  # noqa: ANN401  (Django's signature)
        branch = Branch.by_code(str(value)) if value else None
        if value and branch is None:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return branch


class PhotosField(forms.Field):
    """Keys of uploaded photos, as hidden fields that the page's script adds; none that is unknown is an error later."""

    widget = forms.MultipleHiddenInput
    most = MAX_PHOTOS

    def to_python(self, value: Any) -> list[str]:  # noqa: ANN401  (Django's signature)
        keys = list(value or ())
        if len(keys) > MAX_PHOTOS or not all(re.fullmatch(KEY, key) for key in keys):
            raise ValidationError(_("These are no photos that were uploaded here."))
        return list(dict.fromkeys(keys))


class TableNumberField(forms.CharField):
    """The number of a table or receipt in its canonical form; None when left out."""

    def to_python(self, value: Any) -> str | None:  # noqa: ANN401  (Django's signature)
        typed = super().to_python(value) or ""
        number = parse_table_number(typed)
        if typed and not number:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return number or None


class SatisfactionSelect(forms.RadioSelect):
    """Radio buttons; those of low scores have a class, by which survey.css shows the problems."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        option = super().create_option(name, value, *args, **kwargs)
        if value in LOW_SCORES:
            option["attrs"]["class"] = "low-score"
        return option


class ScaleField(forms.TypedChoiceField):
    """An integer of a scale, as radio buttons; None when left out."""

    widget = forms.RadioSelect

    def __init__(self, name: str, **options: Any) -> None:  # noqa: ANN401  (Django's)
        lowest, highest = SCALES.get(name, ASPECT_SCALE)
        options.setdefault("choices", [(score, str(score)) for score in range(lowest, highest + 1)])
        super().__init__(coerce=int, empty_value=None, **options)


class ProblemsField(forms.MultipleChoiceField):
    """Problems as checkboxes. The choices are those of the page; valid is any, with the `own` ones of a submission."""

    own: frozenset[str] = frozenset()

    def valid_value(self, value: str) -> bool:
        return value in CORE_PROBLEMS or value in self.own
