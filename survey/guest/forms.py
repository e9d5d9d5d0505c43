"""The one validator of answers, for HTML forms and for JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.addresses import validate_mail_address
from survey.guest.consent import CONSENT_VERSION, CONSENT_VERSIONS
from survey.models import COMMENT_MAX_LENGTH, Branch, Submission, parse_reference
from survey.scales import ASPECTS, LOW_SATISFACTION, PROBLEM_LABELS, Problem, Satisfaction

ANONYMOUS, CONTACT = "yes", "no"
CONTACT_FIELDS = ("name", "phone", "email")
WHOLE_NUMBERS = {"satisfaction": (1, 5), "recommend": (0, 10), **dict.fromkeys(ASPECTS, (1, 5))}
# Shorter than the staff's words: five of them stand side by side on a phone.
SATISFACTION_CHOICES = [
    (Satisfaction.VERY_DISSATISFIED.value, gettext_lazy("Very unhappy")),
    (Satisfaction.DISSATISFIED.value, gettext_lazy("Unhappy")),
    (Satisfaction.NEUTRAL.value, gettext_lazy("All right")),
    (Satisfaction.SATISFIED.value, gettext_lazy("Happy")),
    (Satisfaction.VERY_SATISFIED.value, gettext_lazy("Very happy")),
]
# In place of Django's, which speak of variables and fields.
TEXT_ERRORS = {
    "required": gettext_lazy("Please fill this in."),
    "max_length": gettext_lazy("Please use at most %(limit_value)d characters; you used %(show_value)d."),
}
EMAIL_ERRORS = {
    **TEXT_ERRORS,
    "invalid": gettext_lazy("Please check the e-mail address; it should look like name@example.com."),
}
PROBLEM_CHOICES = [(problem.slug, label) for problem, label in PROBLEM_LABELS.items()]


class PhoneField(forms.CharField):
    """Full-width digits and signs, as Chinese keyboards type them, count as their plain forms."""

    def to_python(self, value: Any) -> str:  # noqa: ANN401  (Django's signature)
        """The phone number in ASCII where it can be."""
        return unicodedata.normalize("NFKC", super().to_python(value) or "").strip()


class MailAddressField(forms.EmailField):
    """An address that mail can be sent to, where no model says so."""

    default_validators = [validate_mail_address]  # noqa: RUF012


class CommentField(forms.CharField):
    """Text of several lines, a line break one character: without JavaScript a browser sends two for each."""

    def to_python(self, value: Any) -> str:  # noqa: ANN401  (Django's signature)
        """The text with LF alone."""
        return (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")


class BranchField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A branch by its code, capitals or not."""

    def to_python(self, value: Any) -> Branch | None:  # noqa: ANN401  (Django's signature)
        """The branch; None where no code was given."""
        branch = Branch.of_code(str(value)) if value else None
        if value and branch is None:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return branch


class ScaleField(forms.TypedChoiceField):
    """One of the whole numbers of a scale, as radio buttons; None when it may be left out and was."""

    def __init__(self, label: Any, lowest: int, highest: int, **options: Any) -> None:  # noqa: ANN401  (Django's)
        choices = options.pop("choices", [(score, str(score)) for score in range(lowest, highest + 1)])
        super().__init__(
            label=label, choices=choices, coerce=int, empty_value=None, widget=forms.RadioSelect, **options
        )


def _aspect(name: str) -> ScaleField:
    return ScaleField(ASPECTS[name], 1, 5, required=False)


class SubmissionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A guest's answer.

    Name and phone are required, unless the page's choice `anonymous` is `yes`: then they are left out, and so is the
    e-mail address, whatever was typed. JSON callers have no such choice.
    """

    satisfaction = ScaleField(
        gettext_lazy("Overall, how happy are you with your visit?"),
        1,
        5,
        choices=SATISFACTION_CHOICES,
        error_messages={"required": gettext_lazy("Please choose one of the five.")},
    )
    problems = forms.MultipleChoiceField(
        label=gettext_lazy("We are sorry. What went wrong?"),
        choices=PROBLEM_CHOICES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    recommend = ScaleField(
        gettext_lazy("How likely are you to recommend us to friends?"),
        0,
        10,
        required=False,
        help_text=gettext_lazy("0 is not at all, 10 is certainly."),
    )
    taste = _aspect("taste")
    variety = _aspect("variety")
    hygiene = _aspect("hygiene")
    service = _aspect("service")
    atmosphere = _aspect("atmosphere")
    value = _aspect("value")
    anonymous = forms.ChoiceField(
        label=gettext_lazy("May we contact you about your answer?"),
        choices=[
            (ANONYMOUS, gettext_lazy("No, I answer anonymously")),
            (CONTACT, gettext_lazy("Yes, here is how")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    branch = BranchField(
        label=gettext_lazy("Branch"),
        queryset=Branch.objects.all(),
        to_field_name="code",
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": gettext_lazy("There is no such branch.")},
    )
    # Earlier versions too: a page may have been open, or an answer kept on the device, while the text changed.
    consent_version = forms.ChoiceField(
        label=gettext_lazy("Privacy notice"),
        choices=[(version, version) for version in CONSENT_VERSIONS],
        required=False,
        widget=forms.HiddenInput,
    )

    class Meta:
        model = Submission
        fields = (
            "satisfaction",
            "problems",
            "comment",
            "recommend",
            *ASPECTS,
            *CONTACT_FIELDS,
            "branch",
            "consent_version",
        )
        labels = {  # noqa: RUF012
            "name": gettext_lazy("Your name"),
            "phone": gettext_lazy("Phone number"),
            "email": gettext_lazy("E-mail address"),
            "comment": gettext_lazy("What else would you like to tell us?"),
        }
        help_texts = {  # noqa: RUF012
            "name": gettext_lazy("So that we know how to address you."),
            "phone": gettext_lazy("So that the manager can call you back if something went wrong."),
            "email": gettext_lazy("Only for a receipt of your answer."),
            "comment": gettext_lazy("What did you like, what should we change?"),
        }
        error_messages = {  # noqa: RUF012
            "name": TEXT_ERRORS,
            "phone": TEXT_ERRORS,
            "email": EMAIL_ERRORS,
            "comment": TEXT_ERRORS,
        }
        field_classes = {"phone": PhoneField, "comment": CommentField}  # noqa: RUF012
        widgets = {  # noqa: RUF012
            "name": forms.TextInput({"autocomplete": "name"}),
            "phone": forms.TextInput({"type": "tel", "autocomplete": "tel"}),
            "email": forms.EmailInput({"autocomplete": "email"}),
            "comment": forms.Textarea({"rows": 3, "maxlength": COMMENT_MAX_LENGTH}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (Django's signature)
        super().__init__(*args, **kwargs)
        self.is_anonymous = self.is_bound and self.data.get("anonymous") == ANONYMOUS
        for name in ("name", "phone"):
            self.fields[name].required = not self.is_anonymous

    @classmethod
    def for_page(cls, branch: Branch | None, typed: Mapping[str, Any] | None = None) -> SubmissionForm:
        """The form of a page that is opened now, under a branch's link or the chain's: empty, or as typed."""
        values = {"anonymous": ANONYMOUS} if typed is None else typed
        return cls(initial={**values, "branch": branch, "consent_version": CONSENT_VERSION})

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SubmissionForm:
        """The form over a JSON object, where types count and an unknown name is an error, not a lost answer."""
        data: dict[str, object] = {}
        wrong: dict[str, str] = {}
        for name, value in values.items():
            problem = _wrong_in_json(name, value, known=name in cls.base_fields)
            if problem:
                wrong[name] = problem
            else:
                data[name] = int(value) if name in WHOLE_NUMBERS else value
        form = cls(data)
        for name, message in wrong.items():
            form.errors[name] = form.error_class([message])
        return form

    def clean_name(self) -> str:
        """The name; one of format characters alone, such as the zero-width space, is none."""
        name = str(self.cleaned_data["name"])
        if all(unicodedata.category(character) in ("Cf", "Zs") for character in name):
            name = ""
            if self.fields["name"].required:
                raise ValidationError(self.fields["name"].error_messages["required"], code="required")
        return name

    def clean_problems(self) -> int:
        """The chips as bits of Problem, one named twice counted once."""
        return int(sum(Problem[name.upper()] for name in set(self.cleaned_data["problems"])))

    def clean(self) -> dict[str, Any]:
        """Contact details of an anonymous answer are dropped unjudged, and what went wrong where nothing did.

        The page hides the problems ticked before the score was raised; they are sent all the same.
        """
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("satisfaction", 0) > LOW_SATISFACTION:
            cleaned["problems"] = 0
        if self.is_anonymous:
            for name in CONTACT_FIELDS:
                self.errors.pop(name, None)
                cleaned[name] = ""
        return cleaned

    @property
    def shown_branch(self) -> Branch | None:
        """The branch whose name the page shows."""
        branch = self.initial.get("branch")
        if self.is_bound:
            self.is_valid()  # cleans, unless that was done
            branch = self.cleaned_data.get("branch")
        return branch if isinstance(branch, Branch) else None

    @property
    def aspects(self) -> list[forms.BoundField]:
        """The fields of the single aspects."""
        return [self[name] for name in ASPECTS]

    @property
    def has_aspects(self) -> bool:
        """Whether any aspect was scored, or wrongly so: then the page shows them."""
        return any(self[name].value() or self[name].errors for name in ASPECTS)


def _wrong_in_json(name: str, value: object, known: bool) -> str:
    """What is wrong with the type of a JSON member; '' when nothing is."""
    if not known or name == "anonymous":
        return _("There is no such field.")
    if name in WHOLE_NUMBERS:
        # JSON Schema's integer: 5 and 5.0, neither true nor "5".
        if isinstance(value, bool) or not (isinstance(value, int) or _is_integral(value)):
            lowest, highest = WHOLE_NUMBERS[name]
            return _("This must be a whole number from %(lowest)d to %(highest)d.") % {
                "lowest": lowest,
                "highest": highest,
            }
        return ""
    if name == "problems":
        is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return "" if is_list else _("This must be a list of strings.")
    return "" if isinstance(value, str) else _("This must be a string.")


def _is_integral(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()


class ErasureForm(forms.Form):
    """What a guest gives to have an answer erased."""

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
        """Return the reference as it is stored."""
        reference = parse_reference(self.cleaned_data["reference"])
        if not reference:
            raise ValidationError(_("Please check the reference: eight letters and digits."))
        return reference
