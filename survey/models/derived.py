"""Tables derived from submissions: the index of comments and the daily figures."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Count, F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from survey.models.branch import Branch
from survey.models.submission import Submission
from survey.scales import ASPECTS
from survey.text import TERM_MAX_LENGTH


class SubmissionTerm(models.Model):
    """A term of a comment, written with the answer: what search and keywords read.

    Branch, date and satisfaction repeat the answer's, so that one index answers "this word, this branch, this period"
    without visiting a million answers; they never change.
    """

    submission = models.ForeignKey(
        Submission, models.CASCADE, db_column="response_id", related_name="terms", verbose_name=_("submission")
    )
    term = models.CharField(_("term"), max_length=TERM_MAX_LENGTH)
    weight = models.FloatField(_("weight"), default=0)  # TF-IDF of a keyword; 0 for a word that is only searched
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
    submissions = models.PositiveIntegerField(_("submissions"), db_column="responses")
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


def submission_sums() -> dict[str, Any]:
    """Return the aggregates over submissions that make the columns of a DailyRollup."""
    sums: dict[str, Any] = {
        "submissions": Count("id"),
        "promoters": Count("id", filter=Q(recommend__gte=9)),
        "passives": Count("id", filter=Q(recommend__in=(7, 8))),
        "detractors": Count("id", filter=Q(recommend__lte=6)),
    }
    for aspect in ASPECTS:
        sums[f"{aspect}_count"] = Count(aspect)
        sums[f"{aspect}_sum"] = Sum(aspect, default=0)
        sums[f"{aspect}_squares"] = Sum(F(aspect) * F(aspect), default=0)
    return sums
