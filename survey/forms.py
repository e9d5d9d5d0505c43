"""The one validator of answers, for HTML forms and for JSON."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.models import COMMENT_MAX_LENGTH, Response, Satisfaction


class PhoneField(forms.CharField):
    """Full-width digits and signs, as Chinese keyboards type them, count as their plain forms."""

    def to_python(self, value: Any) -> str:  # noqa: ANN401  (Django's signature)
        """The phone number in ASCII where it can be."""
        return unicodedata.normalize("NFKC", super().to_python(value) or "").strip()


class ResponseForm(forms.ModelForm):  # type: ignore[type-arg]
    """A guest's answer."""

    satisfaction = forms.TypedChoiceField(
        label=gettext_lazy("Overall, how satisfied were you?"),
        choices=Satisfaction.choices,
        error_messages={"required": gettext_lazy("Please choose one of the five.")},
        coerce=int,
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Response
        fields = ("satisfaction", "comment", "name", "phone", "email")
        labels = {  # noqa: RUF012
            "name": gettext_lazy("Your name"),
            "phone": gettext_lazy("Phone number"),
            "email": gettext_lazy("E-mail address"),
            "comment": gettext_lazy("What else would you like to tell us?"),
        }
        field_classes = {"phone": PhoneField}  # noqa: RUF012
        widgets = {  # noqa: RUF012
            "name": forms.TextInput({"autocomplete": "name"}),
            "phone": forms.TextInput({"type": "tel", "autocomplete": "tel"}),
            "email": forms.EmailInput({"autocomplete": "email"}),
            "comment": forms.Textarea({"rows": 4, "maxlength": COMMENT_MAX_LENGTH}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (Django's signature)
        super().__init__(*args, **kwargs)
        for name in ("name", "phone"):
            self.fields[name].required = True

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ResponseForm:
        """The form over a JSON object, where types count and an unknown name is an error, not a lost answer."""
        data: dict[str, object] = {}
        wrong: dict[str, str] = {}
        for name, value in values.items():
            if name not in cls.base_fields:
                wrong[name] = _("There is no such field.")
            elif name == "satisfaction":
                # JSON Schema's integer: 5 and 5.0, neither true nor "5".
                if isinstance(value, bool) or not (isinstance(value, int) or _is_integral(value)):
                    wrong[name] = _("This must be a whole number from 1 to 5.")
                else:
                    data[name] = int(value)
            elif isinstance(value, str):
                data[name] = value
            else:
                wrong[name] = _("This must be a string.")
        form = cls(data)
        for name, message in wrong.items():
            form.errors[name] = form.error_class([message])
        return form


def _is_integral(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()
