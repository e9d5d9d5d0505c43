"""What is stored: branches and their staff, guests' answers, what is derived from them, and the mails that follow."""

from __future__ import annotations

import enum
import secrets
import unicodedata
from collections.abc import Collection

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from survey.addresses import validate_mail_address
from survey.text import TERM_MAX_LENGTH

# Without 0, 1, I, L, O, U: read aloud, typed from paper, never a word. 30 ** 8 is 6.5e11.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 8
COMMENT_MAX_LENGTH = 2_000
LOW_SATISFACTION = 2  # this and below asks what went wrong, is followed up, and tells the branch's manager
RESERVED_CODES = ("add",)  # /dashboard/branches/add/
CODE_ERROR = _("Please use letters, digits and hyphens only.")

# Lenient on purpose: a chain has guests from abroad, and a number nobody can call loses less than an answer refused.
phone_validator = RegexValidator(
    r"\A\+?[0-9](?:[ ()-]?[0-9]){4,19}\Z", _("Give a phone number of 5 to 20 digits, with or without country code.")
)


def make_reference() -> str:
    """A random reference such as `7KQ2MXRA`, which a guest can quote."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _position in range(REFERENCE_LENGTH))


def parse_reference(typed: str) -> str:
    """Return a reference as it is stored, in whatever way it was typed; '' for what is none.

    Everything that looks a submission up or counts attempts does so by this form: MySQL's collations take Á for A, so
    that a reference would have hundreds of spellings. Small and full-width letters and spaces are let pass.
    """
    reference = "".join(unicodedata.normalize("NFKC", typed).split()).upper()
    is_reference = len(reference) == REFERENCE_LENGTH and set(reference) <= set(REFERENCE_ALPHABET)
    return reference if is_reference else ""


class Branch(models.Model):
    """One restaurant of the chain."""

    code = models.SlugField(_("code"), max_length=32, unique=True)  # in links and on table cards: never changed
    name = models.CharField(pgettext_lazy("of a branch", "name"), max_length=64)
    name_en = models.CharField(_("English name"), max_length=64, blank=True)
    # Not a staff member's address: a branch has one before it has accounts, and often one mailbox for several people.
    manager_email = models.EmailField(_("manager's e-mail"), blank=True, validators=[validate_mail_address])
    # A branch that closed keeps its answers; its link says so.
    is_open = models.BooleanField(_("in business"), default=True)

    class Meta:
        verbose_name = _("branch")
        verbose_name_plural = _("branches")
        ordering = ("code",)
        permissions = (("act_for_head_office", _("Acts for head office: sees every branch, adds branches and staff")),)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of_code(cls, code: str) -> Branch | None:
        """The branch of a code as somebody typed it, capitals or not; of two old ones that differ in them, its own."""
        return min(cls.objects.filter(code__iexact=code), key=lambda branch: branch.code != code, default=None)

    def clean(self) -> None:
        """A new branch has a code that can stand in a link and in a filter, in lower case, and nobody else's."""
        if not self._state.adding or not self.code:  # empty: its field has found it wrong
            return
        self.code = self.code.lower()
        if "_" in self.code:  # the field's slugs may have one; under a link's line it cannot be seen
            raise ValidationError({"code": CODE_ERROR})
        if not any(character.isalnum() for character in self.code):
            raise ValidationError({"code": _("The code needs a letter or a digit.")})
        if self.code in RESERVED_CODES:
            raise ValidationError({"code": _("This code is a page's address. Choose another.")})
        if Branch.of_code(self.code):
            raise ValidationError({"code": _("There is a branch with this code already.")})

    @property
    def local_name(self) -> str:
        """The name in the language of this request."""
        is_chinese = (get_language() or "").startswith("zh")
        return self.name if is_chinese else self.name_en or self.name


class Membership(models.Model):
    """A staff member who may see the answers of a branch."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"))
    branch = models.ForeignKey(Branch, models.CASCADE, verbose_name=_("branch"))

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (models.UniqueConstraint(fields=("user", "branch"), name="one_membership_per_branch"),)

    def __str__(self) -> str:
        return f"{self.user} {self.branch}"


class Satisfaction(models.IntegerChoices):
    """Overall satisfaction, the scale of CSAT."""

    VERY_DISSATISFIED = 1, _("Very dissatisfied")
    DISSATISFIED = 2, _("Dissatisfied")
    NEUTRAL = 3, _("So-so")
    SATISFIED = 4, _("Satisfied")
    VERY_SATISFIED = 5, _("Very satisfied")


# Field name of Response and what a guest reads; 1 to 5 each.
ASPECTS = {
    "taste": _("Taste"),
    "variety": _("Variety and refills"),
    "hygiene": _("Hygiene"),
    "service": _("Service"),
    "atmosphere": _("Atmosphere"),
    "value": _("Value for money"),
}


class Problem(enum.IntFlag):
    """What went wrong, as bits of `Response.problems`: one small column that still can be counted and filtered."""

    TASTE = 1
    SOLD_OUT = 2
    COLD = 4
    DIRTY = 8
    UNFRIENDLY = 16
    WAITING = 32
    EXPENSIVE = 64
    OTHER = 128

    @property
    def label(self) -> str:
        """What the guest reads on the chip."""
        return str(PROBLEM_LABELS[self])

    @property
    def slug(self) -> str:
        """What stands for it in a URL."""
        return str(self.name).lower()


PROBLEM_LABELS = {
    Problem.TASTE: _("Did not taste good"),
    Problem.SOLD_OUT: _("Dishes ran out"),
    Problem.COLD: _("Food was cold"),
    Problem.DIRTY: _("Not clean"),
    Problem.UNFRIENDLY: _("Unfriendly staff"),
    Problem.WAITING: _("Long wait"),
    Problem.EXPENSIVE: _("Too expensive"),
    Problem.OTHER: _("Something else"),
}
ALL_PROBLEMS = sum(Problem)


class FollowUpStatus(models.TextChoices):
    """How far the staff are with a low score; an answer that needs nothing has none."""

    OPEN = "open", _("open")
    CONTACTED = "contacted", _("contacted")
    SOLVED = "solved", _("solved")


def _aspect_field(name: str) -> models.PositiveSmallIntegerField[int | None, int | None]:
    return models.PositiveSmallIntegerField(
        ASPECTS[name], null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )


class Response(models.Model):
    """One guest's answer. Name, phone, e-mail and comment are personal data: never logged, erasable.

    An anonymous answer has no name, phone and e-mail; an erased one has no comment either, and `erased_at`.
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
    # The version of the consent text that stood on the page; blank where the caller showed none (the API).
    consent_version = models.CharField(_("consent version"), max_length=16, blank=True)
    language = models.CharField(_("language"), max_length=10, editable=False)
    follow_up_status = models.CharField(_("follow-up"), max_length=10, choices=FollowUpStatus.choices, blank=True)
    created_at = models.DateTimeField(_("received"), default=timezone.now, editable=False)
    # Beside the instant: MySQL converts time zones only with tables that managed servers often lack.
    local_date = models.DateField(_("date"), default=timezone.localdate, editable=False)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)
    # The comment's keywords could not be written with the answer: the timer does it.
    terms_due = models.BooleanField(_("words due"), default=False, editable=False, db_index=True)
    # SHA-256 of the caller's key, in hexadecimal: a collation that ignores case cannot take two keys for one. NULL
    # without a key, since NULLs are not equal.
    key_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001
    # Keyed, so that a phone number cannot be guessed from it; tells a retry from another answer under the same key.
    content_digest = models.CharField(max_length=64, blank=True, editable=False)
    # SHA-256 of the token that its guest erases it with; '' for a submission that no token erases.
    erase_token_digest = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    class Meta:
        verbose_name = _("response")
        verbose_name_plural = _("responses")
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
            # Newest first: read backwards, MariaDB looks at every answer of the period before it asks for the score.
            models.Index(fields=("-local_date", "satisfaction"), name="response_period"),
            models.Index(fields=("branch", "-local_date", "satisfaction"), name="response_branch_period"),
            models.Index(fields=("follow_up_status", "branch", "local_date"), name="response_follow_up"),
            # Lists, newest first: the index is read backwards, so a page costs the same at a million answers.
            models.Index(fields=("local_date", "id"), name="response_newest"),
            models.Index(fields=("branch", "local_date", "id"), name="response_branch_newest"),
            models.Index(fields=("follow_up_status", "local_date", "id"), name="response_follow_up_newest"),
        )

    def __str__(self) -> str:
        return self.reference

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Leave the check constraints to the INSERT; the form's fields have the same bounds.

        Django sends one query for each, and takes a constraint for met when the database is away.
        https://docs.djangoproject.com/en/5.2/ref/models/instances/#django.db.models.Model.validate_constraints
        """

    @property
    def is_low(self) -> bool:
        """Whether this score is followed up."""
        return self.satisfaction <= LOW_SATISFACTION

    @property
    def age_days(self) -> int:
        """How many days ago it came."""
        return (timezone.localdate() - self.local_date).days

    @property
    def aspect_list(self) -> list[tuple[str, int]]:
        """The aspects that were rated: label and score."""
        scores = ((str(label), getattr(self, name)) for name, label in ASPECTS.items())
        return [(label, score) for label, score in scores if score is not None]

    @property
    def problem_list(self) -> list[Problem]:
        """What went wrong, one by one."""
        return [problem for problem in Problem if self.problems & problem]


class FollowUpNote(models.Model):
    """What a staff member did about an answer; free text about a guest, so erased with the answer's personal data."""

    response = models.ForeignKey(Response, models.CASCADE, related_name="notes", verbose_name=_("response"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("author"))
    # '' where the score is not low: nothing is open, nothing gets solved.
    status = models.CharField(_("follow-up"), max_length=10, choices=FollowUpStatus.choices)
    text = models.TextField(_("note"), blank=True, validators=[MaxLengthValidator(COMMENT_MAX_LENGTH)])
    created_at = models.DateTimeField(_("written"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("follow-up note")
        verbose_name_plural = _("follow-up notes")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.response_id} {self.status}"


class ErasureRequest(models.Model):
    """A guest's request, by reference and phone number, to have a submission erased; deleted when staff decide.

    One that fits no submission has no response. It is stored all the same, so that right and wrong details take the
    same statements and the same time, and a timer deletes it.
    """

    response = models.ForeignKey(
        Response, models.CASCADE, null=True, related_name="erasure_requests", verbose_name=_("response")
    )
    created_at = models.DateTimeField(_("requested"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("erasure request")
        verbose_name_plural = _("erasure requests")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.response_id} {self.created_at:%Y-%m-%d}"


class ErasureLog(models.Model):
    """Who had which submission erased, and when; holds no personal data and outlives the erasure.

    Erasures by age are not listed: the timer makes as many as there are submissions, and `erased_at` dates them.
    """

    class Event(models.TextChoices):
        """What happened, and on whose wish."""

        TOKEN = "token", _("erased by the guest")
        REQUEST = "request", _("erased at the guest's request")
        STAFF = "staff", _("erased by staff")
        COMMAND = "command", _("erased by command")
        DECLINED = "declined", _("request declined")

    response = models.ForeignKey(Response, models.PROTECT, related_name="erasure_log", verbose_name=_("response"))
    event = models.CharField(_("event"), max_length=10, choices=Event.choices)
    # None where no account was involved: the guest, or a command.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("user"))
    created_at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.response_id} {self.event}"


class ResponseTerm(models.Model):
    """A term of a comment, written with the answer: what search and keywords read.

    Branch, date and satisfaction repeat the answer's, so that one index answers "this word, this branch, this period"
    without visiting a million answers; they never change.
    """

    response = models.ForeignKey(Response, models.CASCADE, related_name="terms", verbose_name=_("response"))
    term = models.CharField(_("term"), max_length=TERM_MAX_LENGTH)
    weight = models.FloatField(_("weight"), default=0)  # TF-IDF of a keyword; 0 for a word that is only searched
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, verbose_name=_("branch"))
    local_date = models.DateField(_("date"))
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction"))

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        constraints = (models.UniqueConstraint(fields=("response", "term"), name="one_row_per_term"),)
        indexes = (
            models.Index(fields=("term", "local_date", "response"), name="term_newest"),
            models.Index(fields=("term", "branch", "local_date", "response"), name="term_branch_newest"),
            models.Index(fields=("response", "weight"), name="response_keywords"),
        )

    def __str__(self) -> str:
        return self.term


class RollupDay(models.Model):
    """A day whose figures stand in DailyRollup. Its key is what keeps two timers at once from counting a day twice:
    insert it, then the day's rollups, in one transaction; delete it to count the day again.
    """

    local_date = models.DateField(_("date"), primary_key=True)
    counted_at = models.DateTimeField(_("counted"), default=timezone.now)

    class Meta:
        verbose_name = _("counted day")
        verbose_name_plural = _("counted days")

    def __str__(self) -> str:
        return str(self.local_date)


class DailyRollup(models.Model):
    """How many answers of one satisfaction a branch had on a day in a language, and what else they said.

    One row a branch, day, language and satisfaction: every filter of the dashboard is a sum over these. The key begins
    with the day, so that MariaDB, which stores rows in the order of their key, reads a period as one stretch.
    """

    pk = models.CompositePrimaryKey("local_date", "number")
    local_date = models.ForeignKey(
        RollupDay, models.CASCADE, db_column="local_date", db_index=False, verbose_name=_("date")
    )
    number = models.PositiveIntegerField()  # of the row within its day
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, verbose_name=_("branch"))
    language = models.CharField(_("language"), max_length=10)
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction"))
    responses = models.PositiveIntegerField(_("responses"))
    promoters = models.PositiveIntegerField(_("promoters"), default=0)
    passives = models.PositiveIntegerField(_("passives"), default=0)
    detractors = models.PositiveIntegerField(_("detractors"), default=0)
    # Of each aspect the number of scores, their sum and the sum of their squares, from which the interval follows.
    taste_count = models.PositiveIntegerField(default=0)
    taste_sum = models.PositiveIntegerField(default=0)
    taste_squares = models.PositiveIntegerField(default=0)
    variety_count = models.PositiveIntegerField(default=0)
    variety_sum = models.PositiveIntegerField(default=0)
    variety_squares = models.PositiveIntegerField(default=0)
    hygiene_count = models.PositiveIntegerField(default=0)
    hygiene_sum = models.PositiveIntegerField(default=0)
    hygiene_squares = models.PositiveIntegerField(default=0)
    service_count = models.PositiveIntegerField(default=0)
    service_sum = models.PositiveIntegerField(default=0)
    service_squares = models.PositiveIntegerField(default=0)
    atmosphere_count = models.PositiveIntegerField(default=0)
    atmosphere_sum = models.PositiveIntegerField(default=0)
    atmosphere_squares = models.PositiveIntegerField(default=0)
    value_count = models.PositiveIntegerField(default=0)
    value_sum = models.PositiveIntegerField(default=0)
    value_squares = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("daily figures")
        verbose_name_plural = _("daily figures")
        # A unique constraint does not compare NULL, which answers without a branch have: RollupDay guards those.
        constraints = (
            models.UniqueConstraint(
                fields=("local_date", "branch", "language", "satisfaction"), name="one_rollup_per_branch_and_day"
            ),
        )
        indexes = (models.Index(fields=("branch", "local_date"), name="rollup_branch_period"),)

    def __str__(self) -> str:
        return f"{self.local_date_id} {self.branch_id} {self.satisfaction}"


class ExportLog(models.Model):
    """Who exported what and when."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("user"))
    created_at = models.DateTimeField(_("exported"), default=timezone.now, editable=False)
    filters = models.CharField(_("filters"), max_length=500, blank=True)  # names and values
    with_personal_data = models.BooleanField(_("with personal data"), default=False)
    row_count = models.PositiveIntegerField(_("rows"), default=0)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.user} {self.created_at:%Y-%m-%d}"


class AttemptWindow(models.Model):
    """How many attempts were counted under a key in the running window; survey/limits.py says of what."""

    # A keyed hash: neither names nor addresses are stored.
    key = models.CharField(_("key"), max_length=64, primary_key=True)
    attempts = models.PositiveIntegerField(_("attempts"))
    ends_at = models.DateTimeField(_("ends"), db_index=True)

    class Meta:
        db_table = "survey_loginwindow"  # from when it counted logins alone
        verbose_name = _("attempt window")
        verbose_name_plural = _("attempt windows")

    def __str__(self) -> str:
        return self.key[:8]


class OutgoingMail(models.Model):
    """A mail that was promised in the same transaction as what caused it, and is sent outside the request."""

    class Kind(models.TextChoices):
        """Why it is sent."""

        RECEIPT = "receipt", _("receipt")
        ALERT = "alert", _("alert")
        ACCOUNT = "account", _("account")

    class Status(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", _("queued")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    # None for mail about a staff account, such as a password reset.
    response = models.ForeignKey(
        Response, models.CASCADE, null=True, blank=True, related_name="mails", verbose_name=_("response")
    )
    # Whose account the mail is about; None for other mails, and for those that the release before queued. Without a
    # constraint, since that release deletes accounts without their mails; without an index, since only the deletion of
    # an account looks for them.
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("account"),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    recipient = models.EmailField(_("recipient"))
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("body"))  # of an account's mail without its link, see mail/account_links.py
    # Made when queued: should a mail go out twice, both copies carry it and mail programs show one.
    message_id = models.CharField(_("Message-ID"), max_length=255, unique=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    # A drain claims a mail until this instant and sends it outside any transaction; a killed drain's claim runs out.
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("queued"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ("-id",)
        indexes = (models.Index(fields=("status", "next_attempt_at"), name="outbox_due"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class Chore(models.Model):
    """When a regular task last ran to its end: what `manage.py doctor` looks at."""

    name = models.CharField(_("name"), max_length=32, primary_key=True)
    finished_at = models.DateTimeField(_("finished"))

    class Meta:
        verbose_name = _("chore")
        verbose_name_plural = _("chores")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def note(cls, name: str) -> None:
        """Write down that it ran to its end now.

        Each statement for itself, not update_or_create: several may end at once, and would deadlock in
        transactions.
        """
        now = timezone.now()
        if not cls.objects.filter(pk=name).update(finished_at=now):
            Chore.objects.bulk_create([Chore(name=name, finished_at=now)], ignore_conflicts=True)
