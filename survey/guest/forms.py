"""Validation of submissions, from HTML forms and JSON alike, and of requests for erasure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from copy import copy, deepcopy
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.chain import ASPECT, OWN, PROBLEM, Chain, KeptQuestion, own_questions
from survey.guest.consent import CONSENT_VERSION, CONSENT_VERSIONS
from survey.guest.fields import (
    ASPECT_SCALE,
    CORE_PROBLEMS,
    EMAIL_ERRORS,
    SCALES,
    TEXT_ERRORS,
    BranchField,
    CommentField,
    MailAddressField,
    PhoneField,
    PhotosField,
    ProblemsField,
    SatisfactionSelect,
    ScaleField,
    TableNumberField,
    share_fields,
)
from survey.models import COMMENT_MAX_LENGTH, Branch, Submission, parse_reference
from survey.models.submission import phone_validator
from survey.scales import ASPECTS, LOW_SCORES, PROBLEM_LABELS, Problem, Satisfaction

ANONYMOUS, CONTACT = "yes", "no"
NO_COLUMNS = ("anonymous", "photos")  # fields of the form that the submission itself does not have
CONTACT_FIELDS = ("name", "phone", "email")

OWN_FIELD = ScaleField(OWN, required=False)


@share_fields
class SubmissionForm(forms.Form):
    """The form of a submission.

    The questions of head office's own are fields named OWN and their key, which only a form that has values of them, or
    shows them, has. In JSON they are an object by key, `own`.

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
    problems = ProblemsField(
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
    table_number = TableNumberField(
        label=gettext_lazy("Table or receipt"),
        required=False,
        widget=forms.HiddenInput,
        error_messages={
            "invalid": gettext_lazy("Please use at most 32 letters, digits and hyphens for the table or receipt.")
        },
    )
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
        self.own: dict[str, KeptQuestion] = {}
        self.shown_aspects = list(ASPECTS)  # names of fields
        if self.is_bound:
            self._add_own()
        self.is_anonymous = self.is_bound and self.data.get("anonymous") == ANONYMOUS
        if self.is_anonymous:
            for name in ("name", "phone"):
                self.fields[name] = copy(self.fields[name])
                self.fields[name].required = False

    def _add_own(self) -> None:
        """Add a field for each of head office's own aspects that has a value, and accept its own problems."""
        ticked = self.fields["problems"].widget.value_from_datadict(self.data, self.files, "problems") or ()
        keys = {name[len(OWN) :] for name in self.data if name.startswith(OWN)}.union(ticked) - CORE_PROBLEMS
        if not keys:
            return
        self.own = own_questions(keys)
        self.fields.update({OWN + key: OWN_FIELD for key, question in self.own.items() if question.kind == ASPECT})
        problems = frozenset(key for key, question in self.own.items() if question.kind == PROBLEM)
        if problems:
            self.fields["problems"] = copy(self.fields["problems"])
            self.fields["problems"].own = problems  # type: ignore[attr-defined]

    def ask(self, chain: Chain) -> None:
        """Show the questions of the chain, and retired ones that have a value, with labels in the current language."""
        if not chain.questions:
            return
        self.shown_aspects = []
        for question in chain.all(ASPECT):
            name = question.field
            field = deepcopy(self.fields.get(name, OWN_FIELD))
            field.label = question.local_label
            self._replace(name, field)
            if not question.is_retired or self[name].value():
                self.shown_aspects.append(name)
        ticked = self["problems"].value() or ()
        problems = deepcopy(self.fields["problems"])
        problems.choices = [  # type: ignore[attr-defined]
            (question.key, question.local_label)
            for question in chain.all(PROBLEM)
            if not question.is_retired or question.key in ticked
        ]
        self._replace("problems", problems)

    def _replace(self, name: str, field: forms.Field) -> None:
        """Replace a field, or add it, after the validation too, which has made bound fields."""
        self.fields[name] = field
        self[name].field = field
        self[name].label = field.label or ""

    @classmethod
    def for_page(
        cls, branch: Branch | None, table_number: str = "", typed: Mapping[str, Any] | None = None
    ) -> SubmissionForm:
        """Return the form of the page of a branch and its table, or of the chain: empty, or with typed values."""
        values = {"anonymous": ANONYMOUS} if typed is None else typed
        version = values.get("consent_version")  # the one that the page showed first
        if version not in CONSENT_VERSIONS:
            version = CONSENT_VERSION
        return cls(initial={**values, "branch": branch, "table_number": table_number, "consent_version": version})

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SubmissionForm:
        """Return the form over a JSON object. Wrong types and unknown names are errors, so that no value is lost."""
        data: dict[str, object] = {}
        wrong: dict[str, str] = {}
        for name, value in values.items():
            if name == "own":
                continue
            error = _json_error(name, value, known=name in cls.base_fields)
            if error:
                wrong[name] = error
            else:
                data[name] = int(value) if name in SCALES else value
        if error := _add_own_of_json(values.get("own", {}), data):
            wrong["own"] = error
        form = cls(data, label_suffix="")  # which no page shows
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

    def clean(self) -> dict[str, Any]:
        """Drop the contact details of an anonymous submission with their errors, and problems without a low score.

        The page sends problems that were ticked before the score was raised, although it hides them. Those of the core
        become bits of Problem, each of head office's own 1.
        """
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_low = cleaned.get("satisfaction") in LOW_SCORES
        names = set(cleaned.get("problems", ())) if is_low else set()
        cleaned["problems"] = sum(Problem[name.upper()] for name in names & CORE_PROBLEMS)
        cleaned.update({OWN + name: 1 for name in names - CORE_PROBLEMS})
        if self.is_anonymous:
            for name in CONTACT_FIELDS:
                self.errors.pop(name, None)
                cleaned[name] = ""
        return cleaned

    def submission(self) -> Submission:
        """Return the submission of a valid form, not stored yet."""
        given = self.cleaned_data.items()
        columns = {name: value for name, value in given if name not in NO_COLUMNS and not name.startswith(OWN)}
        return Submission(**columns)

    def own_values(self) -> dict[int, int]:
        """Return what a valid form has for head office's own questions, by their ids."""
        values = {question.id: self.cleaned_data.get(OWN + key) for key, question in self.own.items()}
        return {number: value for number, value in values.items() if value}

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
        return [self[name] for name in self.shown_aspects]

    @property
    def has_aspects(self) -> bool:
        """Whether any aspect has a value or an error: then the page shows them unfolded."""
        return any(self[name].value() or self[name].errors for name in self.shown_aspects)


def _add_own_of_json(own: object, data: dict[str, Any]) -> str:
    """Add the values of head office's own questions to a form's data. Return the error; '' when there is none."""
    if not isinstance(own, dict):
        return _("This must be an object.")
    questions = own_questions(own.keys()) if own else {}
    for key, value in own.items():
        question = questions.get(key)
        if question is None:
            return _("There is no question %(key)s.") % {"key": key}
        if question.kind == PROBLEM and not isinstance(value, bool):
            return _("%(key)s must be true or false.") % {"key": key}
        if question.kind == ASPECT and (_scale_error(value, ASPECT_SCALE) or int(value) not in range(1, 6)):
            return _("%(key)s must be a whole number from 1 to 5.") % {"key": key}
        if question.kind == ASPECT:
            data[OWN + key] = int(value)
        elif value:
            data["problems"] = [*data.get("problems", ()), key]
    return ""


def _json_error(name: str, value: object, known: bool) -> str:
    """Return the error of a JSON member's name or type; '' when there is none."""
    if not known or name == "anonymous":
        return _("There is no such field.")
    if name in SCALES:
        return _scale_error(value, SCALES[name])
    if name in ("problems", "photos"):
        is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return "" if is_list else _("This must be a list of strings.")
    return "" if isinstance(value, str) else _("This must be a string.")


def _scale_error(value: object, scale: tuple[int, int]) -> str:
    """Return the error of a JSON value that is no integer of a scale; '' when it is one."""
    # An integer as in JSON Schema: 5 and 5.0, neither true nor "5".
    is_integer = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not is_integer:
        lowest, highest = scale
        return _("This must be a whole number from %(lowest)d to %(highest)d.") % {"lowest": lowest, "highest": highest}
    return ""


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
