"""The hidden fields of a visit: idempotency key, honeypot, time when the page was opened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.guest.fields import share_fields
from survey.guest.opening import new_visit, signer
from survey.idempotency import KEY_MAX_LENGTH

HEADER = "Idempotency-Key"
# Costs a person one tap; a program that fills in forms does not read the page.
ONCE_MORE = gettext_lazy("Please press Send once more.")


@share_fields
class VisitForm(forms.Form):
    """Hidden fields of the page, all optional. JSON callers have only `submission_id`."""

    submission_id = forms.CharField(
        required=False, max_length=KEY_MAX_LENGTH, strip=False, widget=forms.HiddenInput({"autocomplete": "off"})
    )
    # The honeypot: an ordinary field for programs, visually hidden and out of the tab order for people.
    website = forms.CharField(
        required=False, label="Website", widget=forms.TextInput({"autocomplete": "off", "tabindex": "-1"})
    )
    started = forms.CharField(required=False, widget=forms.HiddenInput({"autocomplete": "off"}))

    @classmethod
    def fresh(cls) -> VisitForm:
        """Return the form of a page that is opened now, with a new key."""
        return cls(initial=new_visit())

    @classmethod
    def from_form(cls, request: HttpRequest) -> VisitForm:
        """Return the form over a posted page."""
        return cls(request.POST)._with_header(request)

    @classmethod
    def from_json(cls, request: HttpRequest, values: dict[str, Any]) -> VisitForm:
        """Return the form over a JSON object, removing `submission_id` from `values`."""
        key = values.pop("submission_id", "")
        visit = cls({"submission_id": key}, label_suffix="")  # which no page shows
        del visit.fields["website"], visit.fields["started"]  # which only pages have
        if not isinstance(key, str):
            visit.add_error("submission_id", _("This must be a string."))
        return visit._with_header(request)

    def _with_header(self, request: HttpRequest) -> VisitForm:
        """Take the key from the header if there is one; add an error if header and body differ."""
        header = request.META.get("HTTP_IDEMPOTENCY_KEY", "").encode("latin-1", "replace").decode("utf-8", "replace")
        if not header or not self.is_valid():
            return self
        if len(header) > KEY_MAX_LENGTH:
            self.errors[HEADER] = self.error_class([_("The key is longer than 255 characters.")])
        elif self.cleaned_data["submission_id"] not in ("", header):
            self.errors[HEADER] = self.error_class([_("The header and submission_id in the body differ.")])
        else:
            self.cleaned_data["submission_id"] = header
        return self

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise forms.ValidationError(ONCE_MORE)
        return ""

    def clean_started(self) -> str:
        started: str = self.cleaned_data["started"]
        if started:
            try:
                signer.unsign(started)
            except BadSignature:
                raise forms.ValidationError(ONCE_MORE) from None
        return started

    @property
    def key(self) -> str:
        """The idempotency key of a valid form; '' without one."""
        return str(self.cleaned_data["submission_id"])

    def seconds_to_wait(self) -> int:
        """Return the seconds to wait when the page was sent too fast for a person, else 0."""
        minimum: int = settings.MINIMUM_FILL_SECONDS
        started = self.cleaned_data.get("started")
        if not minimum or not started:
            return 0
        try:
            signer.unsign(started, max_age=minimum)
        except SignatureExpired:
            return 0
        return minimum

    def was_opened_before(self, moment: datetime) -> bool:
        """Return whether the page of a valid form was opened before a time; False for JSON callers, who open none."""
        started = self.cleaned_data.get("started")
        if not started:
            return False
        try:
            signer.unsign(started, max_age=timezone.now() - moment)
        except SignatureExpired:
            return True
        return False

    def for_redisplay(self, new_key: bool = False) -> VisitForm:
        """Return the form of the redisplayed page: the same visit, with another key if this one is used up."""
        fresh = type(self).fresh()
        kept = {} if new_key or "submission_id" in self.errors else {"submission_id": self.data.get("submission_id")}
        if "started" not in self.errors:
            kept["started"] = self.data.get("started")
        return type(self)(initial={**fresh.initial, **{name: value for name, value in kept.items() if value}})
