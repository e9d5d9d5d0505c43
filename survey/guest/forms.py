"""Validation of submissions, from HTML forms and JSON alike, and of requests for erasure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from copy import copy
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.addresses import validate_mail_address
from survey.guest.consent import CONSENT_VERSION, CONSENT_VERSIONS
from survey.models import COMMENT_MAX_LENGTH, Branch, Submission, parse_reference
from survey.models.submission import phone_validator
from survey.photos import KEY, MAX_PHOTOS
from survey.scales import ASPECTS, LOW_SCORES, PROBLEM_LABELS, Problem, Satisfaction

FormClass = TypeVar("FormClass", bound=type[forms.Form])

ANONYMOUS, CONTACT = "yes", "no"
NO_COLUMNS = ("anonymous", "photos")  # fields of the form that the submission itself does not have
CONTACT_FIELDS = ("name", "phone", "email")
SCALES = {"satisfaction": (1, 5), "recommend": (0, 10), **dict.fromkeys(ASPECTS, (1, 5))}
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

    def to_python(self, value: Any) -> list[str]:  # noqa: ANN401  (Django's signature)
        keys = list(value or ())
        if len(keys) > MAX_PHOTOS or not all(KEY.fullmatch(key) for key in keys):
            raise ValidationError(_("These are no photos that were uploaded here."))
        return list(dict.fromkeys(keys))


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
        lowest, highest = SCALES[name]
        options.setdefault("choices", [(score, str(score)) for score in range(lowest, highest + 1)])
        super().__init__(coerce=int, empty_value=None, **options)


@share_fields
class SubmissionForm(forms.Form):
    """The form of a submission.

    Name and phone are required unless the page's field `anonymous` is `yes`; then they and the e-mail address are
    dropped. JSON callers cannot send `anonymous`.

    Not a ModelForm, which validates each value once more by its model (`python -m benchmarks.warm`).
    """

    satisfaction = ScaleField(
        "satisfaction",
        label=gettext_lazy("Overall, how happy are you with your visit?"),
        choices=Satisfaction.choices,
        widget=SatisfactionSelect,
        error_messages={"required": gettext_lazy("Please choose one of the five.")},
    )
    problems = forms.MultipleChoiceField(
        label=gettext_lazy("We are sorry. What went wrong?"),
        choices=[(problem.slug, label) for problem, label in PROBLEM_LABELS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    comment = CommentField(
        label=gettext_lazy("What else would you like to tell us?"),
        max_length=COMMENT_MAX_LENGTH,
        required=False,
        help_text=gettext_lazy("What did you like, what should we change?"),
        widget=forms.Textarea({"rows": 3}),
        error_messages=TEXT_ERRORS,
    )
    recommend = ScaleField(
        "recommend",
        label=gettext_lazy("How likely are you to recommend us to friends?"),
        required=False,
        help_text=gettext_lazy("0 is not at all, 10 is certainly."),
    )
    taste = ScaleField("taste", label=ASPECTS["taste"], required=False)
    variety = ScaleField("variety", label=ASPECTS["variety"], required=False)
    hygiene = ScaleField("hygiene", label=ASPECTS["hygiene"], required=False)
    service = ScaleField("service", label=ASPECTS["service"], required=False)
    atmosphere = ScaleField("atmosphere", label=ASPECTS["atmosphere"], required=False)
    value = ScaleField("value", label=ASPECTS["value"], required=False)
    anonymous = forms.ChoiceField(
        label=gettext_lazy("May we contact you about your answer?"),
        choices=[
            (ANONYMOUS, gettext_lazy("No, I answer anonymously")),
            (CONTACT, gettext_lazy("Yes, here is how")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=Submission.name.field.max_length,
        help_text=gettext_lazy("So that we know how to address you."),
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages=TEXT_ERRORS,
    )
    phone = PhoneField(
        label=gettext_lazy("Phone number"),
        max_length=Submission.phone.field.max_length,
        help_text=gettext_lazy("So that the manager can call you back if something went wrong."),
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel"}),
        error_messages=TEXT_ERRORS,
    )
    email = MailAddressField(
        label=gettext_lazy("E-mail address"),
        max_length=Submission.email.field.max_length,
        required=False,
        help_text=gettext_lazy("Only for a receipt of your answer."),
        widget=forms.EmailInput({"autocomplete": "email"}),
        error_messages=EMAIL_ERRORS,
    )
    branch = BranchField(
        label=gettext_lazy("Branch"),
        queryset=Branch.objects.all(),
        to_field_name="code",
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": gettext_lazy("There is no such branch.")},
    )
    photos = PhotosField(required=False)
    # Earlier versions too: the text may change while a page is open or a submission waits on the device.
    consent_version = forms.ChoiceField(
        label=gettext_lazy("Privacy notice"),
        choices=[(version, version) for version in CONSENT_VERSIONS],
        required=False,
        # Off: some browsers restore hidden fields on a reload, beside the text of another version.
        widget=forms.HiddenInput({"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (Django's signature)
        super().__init__(*args, **kwargs)
        self.is_anonymous = self.is_bound and self.data.get("anonymous") == ANONYMOUS
        if self.is_anonymous:
            for name in ("name", "phone"):
                self.fields[name] = copy(self.fields[name])
                self.fields[name].required = False

    @classmethod
    def for_page(cls, branch: Branch | None, typed: Mapping[str, Any] | None = None) -> SubmissionForm:
        """Return the form of the page of a branch, or of the chain: empty, or with typed values."""
        values = {"anonymous": ANONYMOUS} if typed is None else typed
        version = values.get("consent_version")  # the one that the page showed first
        if version not in CONSENT_VERSIONS:
            version = CONSENT_VERSION
        return cls(initial={**values, "branch": branch, "consent_version": version})

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SubmissionForm:
        """Return the form over a JSON object. Wrong types and unknown names are errors, so that no value is lost."""
        data: dict[str, object] = {}
        wrong: dict[str, str] = {}
        for name, value in values.items():
            error = _json_error(name, value, known=name in cls.base_fields)
            if error:
                wrong[name] = error
            else:
                data[name] = int(value) if name in SCALES else value
        form = cls(data)
        # Optional fields that were not sent have nothing to validate.
        form.fields = {name: field for name, field in form.fields.items() if name in data or field.required}
        for name, message in wrong.items():
            form.errors[name] = form.error_class([message])
        return form

    def clean_name(self) -> str:
        """Treat a name of nothing but format characters, such as the zero-width space, as empty."""
        name = str(self.cleaned_data["name"])
        if all(unicodedata.category(character) in ("Cf", "Zs") for character in name):
            name = ""
            if self.fields["name"].required:
                raise ValidationError(self.fields["name"].error_messages["required"], code="required")
        return name

    def clean_phone(self) -> str:
        """Validate the digits of a number that is not too long."""
        phone = str(self.cleaned_data["phone"])
        if phone:
            phone_validator(phone)
        return phone

    def clean_problems(self) -> int:
        """Return the problems as bits of Problem."""
        return int(sum(Problem[name.upper()] for name in set(self.cleaned_data["problems"])))

    def clean(self) -> dict[str, Any]:
        """Drop the contact details of an anonymous submission with their errors, and problems without a low score.

        The page sends problems that were ticked before the score was raised, although it hides them.
        """
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_low = cleaned.get("satisfaction") in LOW_SCORES
        cleaned["problems"] = cleaned.get("problems", 0) if is_low else 0
        if self.is_anonymous:
            for name in CONTACT_FIELDS:
                self.errors.pop(name, None)
                cleaned[name] = ""
        return cleaned

    def submission(self) -> Submission:
        """Return the submission of a valid form, not stored yet."""
        return Submission(**{name: value for name, value in self.cleaned_data.items() if name not in NO_COLUMNS})

    @property
    def shown_branch(self) -> Branch | None:
        """The branch whose name is in the page's header."""
        branch = self.initial.get("branch")
        if self.is_bound:
            self.is_valid()  # sets cleaned_data
            branch = self.cleaned_data.get("branch")
        return branch if isinstance(branch, Branch) else None

    @property
    def aspects(self) -> list[forms.BoundField]:
        """The bound fields of the aspects."""
        return [self[name] for name in ASPECTS]

    @property
    def has_aspects(self) -> bool:
        """Whether any aspect has a value or an error: then the page shows them unfolded."""
        return any(self[name].value() or self[name].errors for name in ASPECTS)


def _json_error(name: str, value: object, known: bool) -> str:
    """Return the error of a JSON member's name or type; '' when there is none."""
    if not known or name == "anonymous":
        return _("There is no such field.")
    if name in SCALES:
        # An integer as in JSON Schema: 5 and 5.0, neither true nor "5".
        is_integer = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not is_integer:
            lowest, highest = SCALES[name]
            return _("This must be a whole number from %(lowest)d to %(highest)d.") % {
                "lowest": lowest,
                "highest": highest,
            }
        return ""
    if name in ("problems", "photos"):
        is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return "" if is_list else _("This must be a list of strings.")
    return "" if isinstance(value, str) else _("This must be a string.")


class ErasureForm(forms.Form):
    """The form of a request for erasure."""

    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=16,
        help_text=gettext_lazy("Eight letters and digits; the thank-you page and the receipt show it."),
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        error_messages=TEXT_ERRORS,
    )
    phone = PhoneField(
        label=gettext_lazy("Phone number"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("The one you gave with your answer. Leave it empty if you answered anonymously."),
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel"}),
        error_messages=TEXT_ERRORS,
    )

    def clean_reference(self) -> str:
        reference = parse_reference(self.cleaned_data["reference"])
        if not reference:
            raise ValidationError(_("Please check the reference: eight letters and digits."))
        return reference
