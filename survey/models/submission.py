"""Submissions and the staff's notes about them."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping

from django.conf import settings
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from survey import chain
from survey.addresses import validate_mail_address
from survey.models.branch import Branch
from survey.scales import ALL_PROBLEMS, ASPECTS, LOW_SCORES, Problem, Satisfaction
from survey.table_number import MAX_LENGTH as TABLE_NUMBER_MAX_LENGTH

# Without 0, 1, I, L, O and U: references are read aloud and typed from paper. 30 ** 8 is 6.5e11.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 8
COMMENT_MAX_LENGTH = 2_000

# Lenient: guests come from abroad, and a wrong number loses less than a refused submission.
phone_validator = RegexValidator(
    r"\A\+?[0-9](?:[ ()-]?[0-9]){4,19}\Z", _("Give a phone number of 5 to 20 digits, with or without country code.")
)


def is_ticked(problem: chain.KeptQuestion, bits: int, own_values: Mapping[int, int]) -> bool:
    """Return whether a submission's bits of Problem, or its values of own questions, have a problem."""
    if problem.is_core:
        return bool(bits & Problem[problem.key.upper()])
    return problem.id in own_values


def make_reference() -> str:
    """Return a random reference such as `7KQ2MXRA`."""
    size = len(REFERENCE_ALPHABET)
    number = secrets.randbelow(size**REFERENCE_LENGTH)
    return "".join(REFERENCE_ALPHABET[number // size**position % size] for position in range(REFERENCE_LENGTH))


def parse_reference(typed: str) -> str:
    """Return the canonical form of a typed reference; '' when it is none.

    Accepts lower case, full-width letters and spaces. Look submissions up and count attempts by this form only: MySQL's
    collations take Á for A, which would give a reference hundreds of spellings.
    """
    reference = "".join(unicodedata.normalize("NFKC", typed).split()).upper()
    is_reference = len(reference) == REFERENCE_LENGTH and set(reference) <= set(REFERENCE_ALPHABET)
    return reference if is_reference else ""


class FollowUpStatus(models.TextChoices):
    """State of the follow-up of a low score; other submissions have none."""

    OPEN = "open", _("open")
    CONTACTED = "contacted", _("contacted")
    SOLVED = "solved", _("solved")


def _aspect_field(name: str) -> models.PositiveSmallIntegerField[int | None, int | None]:
    return models.PositiveSmallIntegerField(
        ASPECTS[name], null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )


class Submission(models.Model):
    """One guest's submission. Name, phone, e-mail and comment are personal data: never logged, erasable.

    An anonymous submission has no name, phone and e-mail. An erased one has no comment either, and has `erased_at`.
    """

    reference = models.CharField(_("reference"), max_length=16, unique=True, default=make_reference, editable=False)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, verbose_name=_("branch"))
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction"), choices=Satisfaction.choices)
    taste = _aspect_field("taste")
    variety = _aspect_field("variety")
    hygiene = _aspect_field("hygiene")
    service = _aspect_field("service")
    atmosphere = _aspect_field("atmosphere")
    value = _aspect_field("value")
    recommend = models.PositiveSmallIntegerField(
        _("likelihood to recommend"), null=True, blank=True, validators=[MaxValueValidator(10)]
    )
    problems = models.PositiveSmallIntegerField(_("what went wrong"), default=0)  # bits of Problem
    comment = models.TextField(_("comment"), blank=True, validators=[MaxLengthValidator(COMMENT_MAX_LENGTH)])
    name = models.CharField(_("name"), max_length=64, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True, validators=[phone_validator])
    email = models.EmailField(_("e-mail"), blank=True, validators=[validate_mail_address])
    # NULL without one, also in submissions that the release before stores. Erased: a receipt points to its payer.
    table_number = models.CharField(  # noqa: DJ001
        _("table or receipt"), max_length=TABLE_NUMBER_MAX_LENGTH, null=True, blank=True
    )
    # The version of the privacy notice that the page showed; blank when the API's caller showed none.
    consent_version = models.CharField(_("consent version"), max_length=16, blank=True)
    language = models.CharField(_("language"), max_length=10, editable=False)
    follow_up_status = models.CharField(_("follow-up"), max_length=10, choices=FollowUpStatus.choices, blank=True)
    # NULL: nobody has taken the case, it has no due time, it is not solved; and whatever the release before stores.
    follow_up_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    # Set when the submission is stored, so that a change of FOLLOW_UP_HOURS moves no case that guests wait for.
    follow_up_due_at = models.DateTimeField(_("due"), null=True, blank=True, editable=False)
    follow_up_closed_at = models.DateTimeField(_("solved at"), null=True, blank=True, editable=False)
    # Head office's robots were told that the case was open past its due time; once, whichever timer came first.
    escalated_at = models.DateTimeField(_("escalated"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("received"), default=timezone.now, editable=False)
    # Beside `created_at`: MySQL converts time zones only with tables that managed servers often lack.
    local_date = models.DateField(_("date"), default=timezone.localdate, editable=False)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)
    # The comment's keywords could not be written with the submission; the timer writes them.
    terms_due = models.BooleanField(_("words due"), default=False, editable=False, db_index=True)
    # SHA-256 of the caller's key in hexadecimal, so that no collation takes two keys for one. NULL without a key, since
    # NULLs are not equal. An erasure replaces it by a keyed digest. It is not keyed from the start: the release before
    # would not recognise a retry while a deployment runs or after a rollback.
    key_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001
    # Tells a retry from other content under the same key. Keyed, so that no phone number can be guessed from it.
    content_digest = models.CharField(max_length=64, blank=True, editable=False)
    # SHA-256 of the guest's erase token; '' when no token erases the submission.
    erase_token_digest = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    class Meta:
        db_table = "survey_response"
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        ordering = ("-id",)
        permissions = (("erase_submission", _("Erases submissions and decides on guests' requests for it")),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(satisfaction__gte=1, satisfaction__lte=5), name="satisfaction_between_1_and_5"
            ),
            models.CheckConstraint(condition=models.Q(recommend__lte=10), name="recommend_between_0_and_10"),
            models.CheckConstraint(condition=models.Q(problems__lte=ALL_PROBLEMS), name="problems_are_known"),
            models.CheckConstraint(
                condition=models.Q(follow_up_status__in=["", *FollowUpStatus.values]), name="follow_up_status_is_known"
            ),
            *(
                models.CheckConstraint(
                    condition=models.Q((f"{aspect}__gte", 1), (f"{aspect}__lte", 5)), name=f"{aspect}_between_1_and_5"
                )
                for aspect in ASPECTS
            ),
        )
        indexes = (
            # Descending: read backwards, MariaDB would fetch every submission of the period before testing the score.
            models.Index(fields=("-local_date", "satisfaction"), name="response_period"),
            models.Index(fields=("branch", "-local_date", "satisfaction"), name="response_branch_period"),
            models.Index(fields=("follow_up_status", "branch", "local_date"), name="response_follow_up"),
            # For lists, newest first: read backwards, so that a page costs the same at a million submissions.
            models.Index(fields=("local_date", "id"), name="response_newest"),
            models.Index(fields=("branch", "local_date", "id"), name="response_branch_newest"),
            models.Index(fields=("follow_up_status", "local_date", "id"), name="response_follow_up_newest"),
            models.Index(fields=("table_number", "local_date", "id"), name="response_table"),
            # For the time to close: NULL for all but solved cases.
            models.Index(fields=("follow_up_closed_at",), name="response_closed"),
            # For the admin's search: staff look up a guest who calls or writes.
            *(models.Index(fields=(name,), name=f"response_{name}") for name in ("name", "phone", "email")),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def is_low(self) -> bool:
        """Whether the score is low: followed up, and mailed to the branch."""
        return self.satisfaction in LOW_SCORES

    @property
    def is_overdue(self) -> bool:
        """Whether the case is open after its due time."""
        due_at = self.follow_up_due_at
        return self.follow_up_status == FollowUpStatus.OPEN and due_at is not None and due_at < timezone.now()

    @property
    def age_days(self) -> int:
        """Days since the submission."""
        return (timezone.localdate() - self.local_date).days

    @cached_property
    def own_values(self) -> dict[int, int]:
        """The values of head office's own questions by their ids. A list reads them for all of its rows: prefetched."""
        if not chain.current().own:
            return {}
        return {row.question_id: row.value for row in self.question_values.all()}

    @property
    def aspect_list(self) -> list[tuple[str, int]]:
        """Label and score of each rated aspect, also of those that are no longer asked."""
        scores = (
            (
                question.local_label,
                getattr(self, question.key) if question.is_core else self.own_values.get(question.id),
            )
            for question in chain.current().all(chain.ASPECT)
        )
        return [(label, score) for label, score in scores if score is not None]

    @property
    def problem_labels(self) -> list[str]:
        """The labels of the problems that the guest ticked, head office's own ones too."""
        return [
            question.local_label
            for question in chain.current().all(chain.PROBLEM)
            if is_ticked(question, self.problems, self.own_values)
        ]

    @property
    def problem_list(self) -> list[Problem]:
        """The problems of the core that the guest ticked."""
        return [problem for problem in Problem if self.problems & problem]


class FollowUpNote(models.Model):
    """A staff member's note about a submission; free text about a guest, so erased with its personal data."""

    submission = models.ForeignKey(
        Submission, models.CASCADE, db_column="response_id", related_name="notes", verbose_name=_("submission")
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("author"))
    # '' when the score is not low: there is no follow-up.
    status = models.CharField(_("follow-up"), max_length=10, choices=FollowUpStatus.choices)
    text = models.TextField(_("note"), blank=True, validators=[MaxLengthValidator(COMMENT_MAX_LENGTH)])
    created_at = models.DateTimeField(_("written"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("follow-up note")
        verbose_name_plural = _("follow-up notes")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.submission_id} {self.status}"
