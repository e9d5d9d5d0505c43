"""What staff do about a low score: a status and notes."""

from __future__ import annotations

import logging

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy

from survey.models import COMMENT_MAX_LENGTH, FollowUpNote, FollowUpStatus, Response

logger = logging.getLogger(__name__)


class FollowUpForm(forms.ModelForm):  # type: ignore[type-arg]
    """The next status, and what was done."""

    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=FollowUpStatus.choices, widget=forms.RadioSelect)

    class Meta:
        model = FollowUpNote
        fields = ("status", "text")
        widgets = {  # noqa: RUF012
            "text": forms.Textarea({"rows": 3, "maxlength": COMMENT_MAX_LENGTH})
        }


@transaction.atomic
def follow_up(response: Response, *, author: User, status: str, text: str) -> FollowUpNote:
    """Set the status of an answer and keep who did it and what he wrote."""
    note = FollowUpNote.objects.create(response=response, author=author, status=status, text=text)
    Response.objects.filter(pk=response.pk).update(follow_up_status=status)
    logger.info("follow_up.noted", extra={"response": response.pk, "status": status})
    return note
