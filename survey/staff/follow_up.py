"""Notes of staff about a submission, and the status and owner of the case of a low score."""

from __future__ import annotations

import logging

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.guest.fields import TEXT_ERRORS, CommentField
from survey.models import COMMENT_MAX_LENGTH, FollowUpNote, FollowUpStatus, Submission
from survey.staff.access import staff_of

logger = logging.getLogger(__name__)


class OwnerField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Staff, by name."""

    def label_from_instance(self, obj: User) -> str:
        return obj.first_name or obj.username


class FollowUpForm(forms.ModelForm):  # type: ignore[type-arg]
    """A note and, for a low score, the next status.

    An erased submission takes no note: a low score has its status alone, any other has no field left.
    """

    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=FollowUpStatus.choices, widget=forms.RadioSelect)
    # The status that the page showed, which tells a choice from an untouched field.
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = FollowUpNote
        fields = ("status", "text")
        field_classes = {"text": CommentField}  # noqa: RUF012
        error_messages = {"text": TEXT_ERRORS}  # noqa: RUF012
        widgets = {"text": forms.Textarea({"rows": 3, "maxlength": COMMENT_MAX_LENGTH})}  # noqa: RUF012

    def __init__(self, submission: Submission, data: QueryDict | None) -> None:
        status = submission.follow_up_status
        super().__init__(data, initial={"status": status or FollowUpStatus.CONTACTED, "shown": status})
        if not submission.is_low:
            del self.fields["status"], self.fields["shown"]
            self.fields["text"].required = True
        if submission.erased_at:
            del self.fields["text"]

    def refuse(self, error: ValidationError, status: str) -> None:
        """Show the error, the typed text, and the present status of the submission."""
        self.add_error(None, error)
        self.data = {"status": status, "shown": status, "text": self.data.get("text", "")}


class OwnerForm(forms.Form):
    """The owner of a case: a staff member who may see the submission, or nobody."""

    owner = OwnerField(
        label=gettext_lazy("Owner"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nobody"),
        error_messages={"invalid_choice": gettext_lazy("Choose somebody who may see this answer.")},
    )
    # The owner that the page showed, so that nobody takes a case from a colleague without knowing.
    shown = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, submission: Submission, data: QueryDict | None = None) -> None:
        owner = submission.follow_up_owner_id
        super().__init__(data, initial={"owner": owner, "shown": owner}, prefix=None, auto_id="id_case_%s")
        self.fields["owner"].queryset = staff_of(submission.branch)  # type: ignore[attr-defined]


def assign(submission: Submission, owner: User | None, shown: int | None) -> None:
    """Give a case to somebody, or to nobody. Raises ValidationError if a colleague did so since `shown` was."""
    same = Submission.objects.filter(pk=submission.pk, follow_up_owner=shown)
    if not same.update(follow_up_owner=owner):
        raise ValidationError(_("Somebody changed the owner meanwhile, so nothing was saved. Please choose again."))
    logger.info("follow_up.assigned", extra={"submission": submission.pk, "owner": owner.pk if owner else None})


@transaction.atomic
def follow_up(submission: Submission, *, author: User, status: str, text: str, shown: str = "") -> FollowUpNote:
    """Store a note, and set the status of a low score ('' for any other).

    A case without an owner becomes that of the author who changes its status. A status equal to the one `shown` to the
    author was not chosen, so the present one stays. Raises ValidationError and stores nothing if a colleague changed
    the status meanwhile, if there is neither a new status nor a text, and for a text about an erased submission.
    """
    # Locked against an erasure: an earlier one is visible here, a later one deletes the note.
    submission.refresh_from_db(from_queryset=Submission.objects.select_for_update())
    before = submission.follow_up_status
    if status and status == shown:
        status = before
    elif shown not in ("", before):
        raise ValidationError(
            _("Somebody changed the status to “%(status)s” meanwhile, so nothing was saved. Please choose again.")
            % {"status": submission.get_follow_up_status_display()}
        )
    if submission.erased_at and text:
        raise ValidationError(_("This answer was erased: nothing can be written about it any more."))
    if status == before and not text:
        raise ValidationError(_("Nothing was changed or written, so nothing was saved."))
    note = FollowUpNote.objects.create(submission=submission, author=author, status=status, text=text)
    if status != before:
        submission.follow_up_status = status
        submission.follow_up_closed_at = timezone.now() if status == FollowUpStatus.SOLVED else None
        submission.follow_up_owner = submission.follow_up_owner or author
        submission.save(update_fields=["follow_up_status", "follow_up_closed_at", "follow_up_owner"])
    logger.info("follow_up.noted", extra={"submission": submission.pk, "status": status})
    return note
