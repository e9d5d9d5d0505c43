"""The figures of head office's own questions, exact to the last submission.

As in survey/staff/figures.py, a counted day without late submissions comes from the rollup and any other, normally just
today, from the submissions themselves. A chain that has no question of its own costs no query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import Aggregate, BooleanField, Case, Count, F, Q, QuerySet, Sum, When

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

    def add(self, question: int, value: int, satisfaction: int, n: int) -> None:
        """Add so many equal values."""
        self.counts[question][value, satisfaction] += n

    def moments(self, question: int) -> tuple[int, int, int]:
        """Return the number of an aspect's scores, their sum and that of their squares."""
        scores = [(value, n) for (value, _satisfaction), n in self.counts.get(question, {}).items()]
        count, total, squares = (sum(n * value**power for value, n in scores) for power in range(3))
        return count, total, squares

    def aspect(self, question: int) -> metrics.Estimate | None:
        """Return the mean score of an aspect."""
        return metrics.mean(*self.moments(question))

    def problem(self, question: int) -> int:
        """Return the number of low scores that name a problem."""
        return sum(n for (_value, score), n in self.counts.get(question, {}).items() if score in LOW_SCORES)


def own_figures(filters: Filters) -> tuple[OwnTally, OwnTally]:
    """Return the values of own questions in the filters' period, and in the one before."""
    tallies = (OwnTally(), OwnTally())
    # There may be days between the two.
    for rows, columns, number in _sources(filters, (filters.before, filters), _scopes(filters)):
        is_now = _is_now(filters, columns["local_date"])
        found = rows.values_list("question_id", "value", F(columns["satisfaction"]), is_now)
        for question, value, satisfaction, is_of_now, n in found.annotate(number):
            tallies[not is_of_now].add(question, value, satisfaction, n)
    return tallies


def own_figures_by_branch(filters: Filters, branches: Collection[int]) -> tuple[dict[int, OwnTally], OwnTally]:
    """Return the values of own questions in the filters' period, of these branches and of all that are selected."""
    by_branch = {branch: OwnTally() for branch in branches}
    total = OwnTally()
    selected = _scopes(filters)
    for rows, columns, number in _sources(filters, (filters,), {*branches, *selected}):
        is_live = columns is LIVE
        found = rows.values_list("question_id", "value", F(columns["satisfaction"]), F(columns["scope"]))
        for question, value, satisfaction, scope, n in found.annotate(number):
            if scope in by_branch:
                by_branch[scope].add(question, value, satisfaction, n)
            if is_live or scope in selected:
                total.add(question, value, satisfaction, n)
    return by_branch, total


# The columns of both sources by one name.
COUNTED = {name: name for name in ("local_date", "satisfaction", "language", "scope")}
LIVE = {name: f"submission__{name}" for name in ("local_date", "satisfaction", "language")}
LIVE["scope"] = "submission__branch_id"


def _sources(
    filters: Filters, parts: Collection[Filters], scopes: Collection[int]
) -> Iterator[tuple[QuerySet[Any, Any], dict[str, str], Aggregate]]:
    """Yield the rows of the parts' days, each day in one of them, with their columns and the number of a group."""
    if not chain.current().own:
        return
    period = Q()
    for part in parts:
        period |= Q(local_date__gte=part.start, local_date__lte=part.end)
    counted = set(RollupDay.objects.filter(period, is_late=False).values_list("local_date", flat=True))
    open_days = set().union(*(sums.days_between(part.start, part.end) for part in parts)) - counted
    of_days = QuestionRollup.objects.filter(period, _where(filters, COUNTED), scope__in=scopes)
    yield of_days.exclude(local_date__in=open_days).order_by(), COUNTED, Sum("submissions")
    live = QuestionValue.objects.filter(_where(filters, LIVE), submission__local_date__in=open_days)
    if filters.without_branch:
        live = live.filter(submission__branch=None)
    elif filters.branch_ids is not None:
        live = live.filter(submission__branch__in=filters.branch_ids)
    yield live.order_by(), LIVE, Count("submission_id")


def _scopes(filters: Filters) -> tuple[int, ...]:
    if filters.without_branch:
        return (HourRollup.WITHOUT_BRANCH,)
    return (HourRollup.CHAIN,) if filters.branch_ids is None else filters.branch_ids


def _where(filters: Filters, columns: dict[str, str]) -> Q:
    condition = Q()
    if filters.scores:
        condition &= Q((f"{columns['satisfaction']}__in", filters.scores))
    if filters.language:
        condition &= Q((columns["language"], filters.language))
    return condition


def _is_now(filters: Filters, day: str) -> Case:
    return Case(When(**{f"{day}__gte": filters.start}, then=True), default=False, output_field=BooleanField())
