"""Tables derived from submissions: the index of comments and the daily figures."""

from __future__ import annotations

from datetime import date
from datetime import timezone as fixed_timezone
from typing import Any

from django.db import connection, models
from django.db.models import Count, ExpressionWrapper, F, Q, Sum, Value
from django.db.models.functions import ExtractHour
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey.models.branch import Branch
from survey.models.submission import Submission
from survey.scales import ASPECTS, DETRACTORS, PASSIVES, PROMOTERS
from survey.text import TERM_MAX_LENGTH


class SubmissionTerm(models.Model):
    """A term of a comment, for search and keywords.

    Branch, date and satisfaction repeat the submission's, which never change, so that one index finds a term in a
    branch and a period without reading a million submissions.
    """

    submission = models.ForeignKey(
        Submission, models.CASCADE, db_column="response_id", related_name="terms", verbose_name=_("submission")
    )
    term = models.CharField(_("term"), max_length=TERM_MAX_LENGTH)
    weight = models.FloatField(_("weight"), default=0)  # TF-IDF of a keyword; 0: for search only
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, verbose_name=_("branch"))
    local_date = models.DateField(_("date"))
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction"))

    class Meta:
        db_table = "survey_responseterm"
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        constraints = (models.UniqueConstraint(fields=("submission", "term"), name="one_row_per_term"),)
        indexes = (
            models.Index(fields=("term", "local_date", "submission"), name="term_newest"),
            models.Index(fields=("term", "branch", "local_date", "submission"), name="term_branch_newest"),
            models.Index(fields=("submission", "weight"), name="response_keywords"),
        )

    def __str__(self) -> str:
        return self.term


class RollupDay(models.Model):
    """A day that is counted in DailyRollup.

    Insert it with the day's rollups in one transaction: its primary key keeps concurrent timers from counting a day
    twice. Delete it to have the day counted again.
    """

    local_date = models.DateField(_("date"), primary_key=True)
    counted_at = models.DateTimeField(_("counted"), default=timezone.now)
    # A submission was stored after the count: figures count the day live until the job counts it again.
    is_late = models.BooleanField(default=False, db_default=False)
    # Counted a whole day after its end; before, the job counts it once more.
    is_final = models.BooleanField(default=False, db_default=False)
    # Equal to `counted_at` where HourRollup has the day: the release before counts a day without it.
    hours_counted_at = models.DateTimeField(null=True, editable=False)
    # Equal to `counted_at` where MonthRollup has the day: whatever counts a day again makes the two differ.
    summed_at = models.DateTimeField(null=True, editable=False)
    # The last day of that sum: a month that goes on is added up until its last counted day.
    summed_until = models.DateField(null=True, editable=False)

    class Meta:
        verbose_name = _("counted day")
        verbose_name_plural = _("counted days")

    def __str__(self) -> str:
        return str(self.local_date)

    @staticmethod
    def mark_late(day: date) -> None:
        """Have the day of a submission that is being stored counted again, if it is counted already.

        Call it after the INSERT, in the same transaction: a count that runs meanwhile either sees the submission or
        gives this statement a row to mark. It also updates a row that is marked, whose lock a count then waits for.

        Written in SQL, like the other statements of a submission: building it takes the CPU of five such statements.
        """
        with connection.cursor() as cursor:
            cursor.execute("UPDATE survey_rollupday SET is_late = %s WHERE local_date = %s", [True, day.isoformat()])


class Sums(models.Model):
    """Counts and sums of submissions; `submission_sums` computes them."""

    submissions = models.PositiveIntegerField(_("submissions"), db_column="responses")
    promoters = models.PositiveIntegerField(_("promoters"), default=0)
    passives = models.PositiveIntegerField(_("passives"), default=0)
    detractors = models.PositiveIntegerField(_("detractors"), default=0)
    # Number, sum and sum of squares of each aspect's scores; the confidence interval needs all three.
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
        abstract = True


class DailyRollup(Sums):
    """Counts and sums of the submissions of a day, branch, language and satisfaction.

    Every figure of the dashboard is a sum over these rows, or over those of ChainRollup. The key begins with the day:
    MariaDB stores rows in the order of their key and reads a period as one range.
    """

    pk = models.CompositePrimaryKey("local_date", "number")
    local_date = models.ForeignKey(
        RollupDay, models.CASCADE, db_column="local_date", db_index=False, verbose_name=_("date")
    )
    number = models.PositiveIntegerField()  # of the row within its day
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, verbose_name=_("branch"))
    language = models.CharField(_("language"), max_length=10)
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction"))

    class Meta:
        verbose_name = _("daily figures")
        verbose_name_plural = _("daily figures")
        # NULLs, as of submissions without a branch, are never equal: there the key of RollupDay prevents duplicates.
        constraints = (
            models.UniqueConstraint(
                fields=("local_date", "branch", "language", "satisfaction"), name="one_rollup_per_branch_and_day"
            ),
        )
        indexes = (
            models.Index(fields=("branch", "local_date"), name="rollup_branch_period"),
            # With a language chosen, few rows of a long period count. Ranking thousands of branches reads this alone.
            models.Index(
                fields=("language", "satisfaction", "local_date", "branch", "submissions"),
                name="rollup_language_scores",
            ),
        )

    def __str__(self) -> str:
        return f"{self.local_date_id} {self.branch_id} {self.satisfaction}"


class OfDay(models.Model):
    """A row that belongs to a day. No constraint: the release before deletes days without these rows."""

    local_date = models.ForeignKey(
        RollupDay,
        models.CASCADE,
        db_column="local_date",
        db_constraint=False,
        db_index=False,
        verbose_name=_("date"),
    )

    class Meta:
        abstract = True


class ChainRollup(OfDay, Sums):
    """The sums of a day's DailyRollup over all branches, for the figures of the whole chain.

    Valid while `counted_at` is that of its day: the release before counts a day again without these rows.
    """

    pk = models.CompositePrimaryKey("local_date", "language", "satisfaction")
    counted_at = models.DateTimeField(_("counted"))
    language = models.CharField(_("language"), max_length=10)
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction"))

    class Meta:
        verbose_name = _("daily figures of the chain")
        verbose_name_plural = _("daily figures of the chain")

    def __str__(self) -> str:
        return f"{self.local_date_id} {self.satisfaction}"


class BranchRollup(OfDay):
    """The submissions of a day and branch, and how many of them were satisfied: ranks thousands of branches.

    In a seventh of the bytes of DailyRollup; valid where the day's ChainRollup is.
    """

    pk = models.CompositePrimaryKey("local_date", "number")
    number = models.PositiveIntegerField()  # of the row within its day
    branch = models.ForeignKey(
        Branch, models.PROTECT, null=True, db_constraint=False, db_index=False, verbose_name=_("branch")
    )
    submissions = models.PositiveIntegerField(_("submissions"))
    satisfied = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("daily figures of a branch")
        verbose_name_plural = _("daily figures of a branch")

    def __str__(self) -> str:
        return f"{self.local_date_id} {self.branch_id}"


class HourRollup(OfDay):
    """The submissions of an hour in Asia/Shanghai, of a branch, of those without one, or of the whole chain.

    The key begins with the scope: a branch's period, or the chain's, is one range of rows. Valid where the day's
    `hours_counted_at` is its `counted_at`.
    """

    CHAIN = 0  # the scope of the whole chain
    WITHOUT_BRANCH = -1

    pk = models.CompositePrimaryKey("scope", "local_date", "hour")
    scope = models.BigIntegerField()  # the key of a branch, CHAIN or WITHOUT_BRANCH
    hour = models.PositiveSmallIntegerField(_("hour"))
    submissions = models.PositiveIntegerField(_("submissions"))
    satisfied = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("hourly figures")
        verbose_name_plural = _("hourly figures")
        indexes = (models.Index(fields=("local_date",), name="hours_of_day"),)  # to count a day again

    def __str__(self) -> str:
        return f"{self.local_date_id} {self.scope} {self.hour}"


def submission_hour() -> ExtractHour:
    """Return the expression for the hour in which a submission was received, in the project's time zone.

    Added as an offset, which Asia/Shanghai keeps all year: MySQL converts time zones only with tables that managed
    servers often lack.
    """
    offset = timezone.localtime().utcoffset()
    local = ExpressionWrapper(F("created_at") + Value(offset), models.DateTimeField())
    return ExtractHour(local, tzinfo=fixed_timezone.utc)


class MonthRollup(Sums):
    """The sums of a month's DailyRollup of a branch over languages and scores, for long periods of many branches.

    Valid while exactly the days from the month's first to `summed_until` are counted, none of them is late, and each
    `summed_at` is the day's `counted_at`.
    """

    pk = models.CompositePrimaryKey("month", "number")
    month = models.DateField(_("month"))  # its first day; of a month that goes on, the last day of the sum
    number = models.PositiveIntegerField()  # of the row within its month
    branch = models.ForeignKey(
        Branch, models.PROTECT, null=True, db_constraint=False, db_index=False, verbose_name=_("branch")
    )
    # Submissions by score, for the distribution and the average.
    score_1 = models.PositiveIntegerField(default=0)
    score_2 = models.PositiveIntegerField(default=0)
    score_3 = models.PositiveIntegerField(default=0)
    score_4 = models.PositiveIntegerField(default=0)
    score_5 = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("monthly figures of a branch")
        verbose_name_plural = _("monthly figures of a branch")
        indexes = (models.Index(fields=("branch", "month"), name="rollup_branch_months"),)

    def __str__(self) -> str:
        return f"{self.month} {self.branch_id}"


def submission_sums() -> dict[str, Any]:
    """Return the aggregates over submissions for the columns of DailyRollup, by column name."""
    sums: dict[str, Any] = {
        "submissions": Count("id"),
        "promoters": Count("id", filter=Q(recommend__in=PROMOTERS)),
        "passives": Count("id", filter=Q(recommend__in=PASSIVES)),
        "detractors": Count("id", filter=Q(recommend__in=DETRACTORS)),
    }
    for aspect in ASPECTS:
        sums[f"{aspect}_count"] = Count(aspect)
        sums[f"{aspect}_sum"] = Sum(aspect, default=0)
        sums[f"{aspect}_squares"] = Sum(F(aspect) * F(aspect), default=0)
    return sums
