"""The figures of head office's own questions, exact to the last submission.

As in survey/staff/sums.py, a counted day without late submissions comes from the rollup and any other, normally just
today, from the submissions themselves. A chain that has no question of its own costs no query.
"""

# ruff: noqa: S608

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from survey import chain
from survey.models import HourRollup
from survey.scales import LOW_SCORES
from survey.staff import metrics, sums
from survey.staff.filters import Filters
from survey.staff.statements import conditions, execute, is_in, parameters, value_if

ROLLUP = "survey_questionrollup given"
VALUES = "survey_questionvalue given JOIN survey_response submission ON submission.id = given.response_id"
# What is summed up of a value; as doubles, as in survey/staff/sums.py.
_SUMS = ("1", "given.value", "given.value * given.value", value_if(is_in("satisfaction", LOW_SCORES)))


class OwnTally:
    """The values of each own question in a period: their number, sum, sum of squares, and number with a low score."""

    def __init__(self) -> None:
        self.sums: dict[int, list[int]] = defaultdict(lambda: [0] * len(_SUMS))

    def add(self, question: int, values: Sequence[int]) -> None:
        """Add the sums of _SUMS."""
        self.sums[question] = [before + more for before, more in zip(self.sums[question], values, strict=True)]

    def moments(self, question: int) -> tuple[int, int, int]:
        """Return the number of an aspect's scores, their sum and that of their squares."""
        count, total, squares, _low = self.sums[question]
        return count, total, squares

    def aspect(self, question: int) -> metrics.Estimate | None:
        """Return the mean score of an aspect."""
        return metrics.mean(*self.moments(question))

    def problem(self, question: int) -> int:
        """Return the number of low scores that name a problem."""
        return self.sums[question][-1]


def own_figures(filters: Filters, tables: sums.Calendar | None = None) -> tuple[OwnTally, OwnTally]:
    """Return the values of own questions in the filters' period, and in the one before.

    `tables` may have a longer period.
    """
    tallies = (OwnTally(), OwnTally())
    # There may be days between the two.
    days = set().union(*(sums.days_between(part.start, part.end) for part in (filters.before, filters)))
    is_before = value_if(f"local_date < '{filters.start}'")
    for _table, number, question, values in _read(filters, tables, days, _scopes(filters), is_before):
        tallies[number].add(question, values)
    return tallies


def own_figures_by_branch(
    filters: Filters, branches: Collection[int], tables: sums.Calendar
) -> tuple[dict[int, OwnTally], OwnTally]:
    """Return the values of own questions in the filters' period, of these branches and of all that are selected.

    `tables` may have a longer period.
    """
    by_branch = {branch: OwnTally() for branch in branches}
    total = OwnTally()
    selected = _scopes(filters)
    days = sums.days_between(filters.start, filters.end)
    for table, scope, question, values in _read(filters, tables, days, {*branches, *selected}, SCOPE):
        if scope in by_branch:
            by_branch[scope].add(question, values)
        if table == VALUES or scope in selected:
            total.add(question, values)
    return by_branch, total


SCOPE = "scope"  # a key: the column of the rollup, and the branch of a submission


def _read(
    filters: Filters, tables: sums.Calendar | None, days: set[date], scopes: Collection[int], key: str
) -> Iterator[tuple[str, Any, int, list[int]]]:
    """Yield table, key, question and the sums of _SUMS, of the days of these scopes."""
    if not (chain.current().own and scopes):
        return
    live = days & (tables or sums.calendar(min(days), max(days))).live
    everywhere = replace(filters, branch_ids=None, without_branch=False)
    sources = (
        (ROLLUP, days - live, key, "submissions", [is_in("scope", scopes), *conditions(everywhere)]),
        (VALUES, live, "branch_id" if key == SCOPE else key, "1", list(conditions(filters))),
    )
    parts = []
    for source, (table, part, column, n, where) in enumerate(sources):
        if part:
            totals = ", ".join(f"SUM(1e0 * {n} * ({value}))" for value in _SUMS)
            in_days = " AND ".join([sums.within("local_date", part), *where])
            parts.append(
                f"SELECT {source}, {column} k, question_id, {totals} FROM {table} WHERE {in_days} GROUP BY 2, 3"
            )
    for source, found, question, *values in execute(" UNION ALL ".join(parts), parameters(filters, len(parts))):
        yield sources[source][0], found, question, [int(value) for value in values]


def _scopes(filters: Filters) -> tuple[int, ...]:
    if filters.without_branch:
        return (HourRollup.WITHOUT_BRANCH,)
    return (HourRollup.CHAIN,) if filters.branch_ids is None else filters.branch_ids
