"""The figures of head office's own questions, exact to the last submission.

As in survey/staff/figures.py, a counted day without late submissions comes from the rollup and any other, normally just
today, from the submissions themselves. A chain that has no question of its own costs no query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from django.db.models import BooleanField, Case, Count, F, Q, Sum, When

from survey import chain
from survey.models import HourRollup, QuestionRollup, QuestionValue, RollupDay
from survey.scales import LOW_SCORES
from survey.staff import metrics, sums
from survey.staff.filters import Filters

# Number of values by value and satisfaction.
Counts = dict[tuple[int, int], int]


class OwnTally:
    """The values of each own question in a period."""

    def __init__(self) -> None:
        self.counts: dict[int, Counts] = defaultdict(lambda: defaultdict(int))

    def aspect(self, question: int) -> metrics.Estimate | None:
        """Return the mean score of an aspect."""
        values: dict[int, int] = defaultdict(int)
        for (value, _satisfaction), n in self.counts.get(question, {}).items():
            values[value] += n
        return metrics.average([values[value] for value in range(1, 6)])

    def problem(self, question: int) -> int:
        """Return the number of low scores that name a problem."""
        return sum(n for (_value, score), n in self.counts.get(question, {}).items() if score in LOW_SCORES)


def own_figures(filters: Filters) -> tuple[OwnTally, OwnTally]:
    """Return the values of own questions in the filters' period, and in the one before."""
    tallies = (OwnTally(), OwnTally())
    if not chain.current().own:
        return tallies
    parts = (filters.before, filters)  # there may be days between them
    period = Q()
    for part in parts:
        period |= Q(local_date__gte=part.start, local_date__lte=part.end)
    counted = set(RollupDay.objects.filter(period, is_late=False).values_list("local_date", flat=True))
    open_days = set().union(*(sums.days_between(part.start, part.end) for part in parts)) - counted
    _add(tallies, _counted(filters, period, open_days))
    _add(tallies, _live(filters, open_days))
    return tallies


Rows = Iterable[tuple[int, int, int, bool, int]]  # question, value, satisfaction, of the period, number


def _add(tallies: tuple[OwnTally, OwnTally], rows: Rows) -> None:
    for question, value, satisfaction, is_now, n in rows:
        tallies[not is_now].counts[question][value, satisfaction] += n


def _counted(filters: Filters, period: Q, open_days: set[date]) -> Rows:
    of_days = QuestionRollup.objects.filter(period, _where(filters), scope__in=_scopes(filters)).order_by()
    rows = of_days.exclude(local_date__in=open_days).values_list(
        "question_id", "value", "satisfaction", _is_now(filters, "local_date")
    )
    return rows.annotate(Sum("submissions"))


def _live(filters: Filters, open_days: set[date]) -> Rows:
    condition = Q(submission__local_date__in=open_days) & _where(filters, "submission__")
    if filters.without_branch:
        condition &= Q(submission__branch=None)
    elif filters.branch_ids is not None:
        condition &= Q(submission__branch__in=filters.branch_ids)
    rows = QuestionValue.objects.filter(condition).order_by()
    return rows.values_list(
        "question_id", "value", F("submission__satisfaction"), _is_now(filters, "submission__local_date")
    ).annotate(Count("submission_id"))


def _scopes(filters: Filters) -> tuple[int, ...]:
    if filters.without_branch:
        return (HourRollup.WITHOUT_BRANCH,)
    return (HourRollup.CHAIN,) if filters.branch_ids is None else filters.branch_ids


def _where(filters: Filters, prefix: str = "") -> Q:
    condition = Q()
    if filters.scores:
        condition &= Q((f"{prefix}satisfaction__in", filters.scores))
    if filters.language:
        condition &= Q((f"{prefix}language", filters.language))
    return condition


def _is_now(filters: Filters, day: str) -> Case:
    return Case(When(**{f"{day}__gte": filters.start}, then=True), default=False, output_field=BooleanField())
