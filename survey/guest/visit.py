"""What comes with an answer without being part of it: the visit's key, the honeypot, the time the page was opened."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.guest.idempotency import KEY_MAX_LENGTH

HEADER = "Idempotency-Key"
# Asking twice costs a person one tap, and a program that fills in forms does not read the page that asks.
ONCE_MORE = gettext_lazy("Please press Send once more.")

signer = TimestampSigner(salt="survey.started")


class VisitForm(forms.Form):
    """Hidden fields of the page. JSON callers have only `submission_id`; a form without the others is taken too."""

    submission_id = forms.CharField(
        required=False, max_length=KEY_MAX_LENGTH, strip=False, widget=forms.HiddenInput({"autocomplete": "off"})
    )
    # Looks like any other field to a program. People do not see it, and do not reach it with the keyboard.
    website = forms.CharField(
        required=False, label="Website", widget=forms.TextInput({"autocomplete": "off", "tabindex": "-1"})
    )
    started = forms.CharField(required=False, widget=forms.HiddenInput({"autocomplete": "off"}))

    @classmethod
    def fresh(cls) -> VisitForm:
        """For a page that is opened now: a new key, so that each visit has its own."""
        return cls(initial={"submission_id": str(uuid.uuid4()), "started": signer.sign("")})

    @classmethod
    def of_form(cls, request: HttpRequest) -> VisitForm:
        """As a page sent it."""
        return cls(request.POST)._with_header(request)

    @classmethod
    def of_json(cls, request: HttpRequest, values: dict[str, Any]) -> VisitForm:
        """As a JSON caller sent it; takes `submission_id` out of `values`."""
        key = values.pop("submission_id", "")
        visit = cls({"submission_id": key})
        if not isinstance(key, str):
            visit.add_error("submission_id", _("This must be a string."))
        return visit._with_header(request)

    def _with_header(self, request: HttpRequest) -> VisitForm:
        """The header is the key as well, and an error where it contradicts the body."""
        header = request.headers.get(HEADER, "").encode("latin-1", "replace").decode("utf-8", "replace")
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
        """Empty, or a program filled it in."""
        if self.cleaned_data["website"]:
            raise forms.ValidationError(ONCE_MORE)
        return ""

    def clean_started(self) -> str:
        """Signed by us, or absent."""
        started: str = self.cleaned_data["started"]
        if started:
            try:
                signer.unsign(started)
            except BadSignature:
                raise forms.ValidationError(ONCE_MORE) from None
        return started

    @property
    def key(self) -> str:
        """The key of a valid submission; '' when it has none."""
        return str(self.cleaned_data["submission_id"])

    def seconds_to_wait(self) -> int:
        """After how long a page that was sent too fast for a person may be sent again; 0 for one that is fine."""
        minimum: int = settings.MINIMUM_FILL_SECONDS
        started = self.cleaned_data.get("started")
        if not minimum or not started:
            return 0
        try:
            signer.unsign(started, max_age=minimum)
        except SignatureExpired:
            return 0
        return minimum

    def again(self, new_key: bool = False) -> VisitForm:
        """For the page that comes back with what was typed: the same visit, unless its key is used up."""
        fresh = type(self).fresh()
        kept = {} if new_key or "submission_id" in self.errors else {"submission_id": self.data.get("submission_id")}
        if "started" not in self.errors:
            kept["started"] = self.data.get("started")
        return type(self)(initial={**fresh.initial, **{name: value for name, value in kept.items() if value}})
