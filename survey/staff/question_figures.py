"""The figures of head office's own questions, exact to the last submission.

As in survey/staff/sums.py, a counted day without late submissions comes from the rollup and any other, normally just
today, from the submissions themselves. A chain that has no question of its own costs no query.
"""

# ruff: noqa: S608

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from survey import chain
from survey.models import HourRollup
from survey.scales import LOW_SCORES
from survey.staff import metrics, sums
from survey.staff.filters import Filters
from survey.staff.statements import Reading, Select, conditions, is_in, parameters, value_if

ROLLUP = "survey_questionrollup given"
VALUES = "survey_questionvalue given JOIN survey_response submission ON submission.id = given.response_id"
# What is summed up of a value; as doubles, as in survey/staff/sums.py.
_SUMS = {
    "n": "1",
    "total": "given.value",
    "squares": "given.value * given.value",
    "low": value_if(is_in("satisfaction", LOW_SCORES)),
}


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


def own_figures(filters: Filters, tables: sums.Calendar | None = None) -> Reading[tuple[OwnTally, OwnTally]]:
    """Return the values of own questions in the filters' period, and in the one before.

    `tables` may have a longer period.
    """
    tallies = (OwnTally(), OwnTally())
    # There may be days between the two.
    days = set().union(*(sums.days_between(part.start, part.end) for part in (filters.before, filters)))
    is_before = value_if(f"local_date < '{filters.start}'")
    rows = yield from _read(filters, tables, days, _scopes(filters), is_before)
    for _table, number, question, values in rows:
        tallies[number].add(question, values)
    return tallies


def own_figures_by_branch(
    filters: Filters, branches: Collection[int], tables: sums.Calendar
) -> Reading[tuple[dict[int, OwnTally], OwnTally]]:
    """Return the values of own questions in the filters' period, of these branches and of all that are selected.

    `tables` may have a longer period.
    """
    by_branch = {branch: OwnTally() for branch in branches}
    total = OwnTally()
    selected = _scopes(filters)
    days = sums.days_between(filters.start, filters.end)
    rows = yield from _read(filters, tables, days, {*branches, *selected}, SCOPE)
    for table, scope, question, values in rows:
        if scope in by_branch:
            by_branch[scope].add(question, values)
        if table == VALUES or scope in selected:
            total.add(question, values)
    return by_branch, total


SCOPE = "scope"  # a key: the column of the rollup, and the branch of a submission


def _read(
    filters: Filters, tables: sums.Calendar | None, days: set[date], scopes: Collection[int], key: str
) -> Reading[list[tuple[str, Any, int, list[int]]]]:
    """Return table, key, question and the sums of _SUMS, of the days of these scopes."""
    if not (chain.current().own and scopes):
        return []
    live = days & (tables or (yield from sums.calendar(min(days), max(days)))).live
    everywhere = replace(filters, branch_ids=None, without_branch=False)
    sources = (
        (ROLLUP, days - live, key, "submissions", [is_in("scope", scopes), *conditions(everywhere)]),
        (VALUES, live, "branch_id" if key == SCOPE else key, "1", list(conditions(filters))),
    )
    parts = []
    for source, (table, part, column, n, where) in enumerate(sources):
        if part:
            totals = ", ".join(f"SUM(1e0 * {n} * ({value})) {name}" for name, value in _SUMS.items())
            in_days = " AND ".join([sums.within("local_date", part), *where])
            parts.append(
                f"SELECT {source} source, {column} k, question_id, {totals} FROM {table} WHERE {in_days} GROUP BY 2, 3"
            )
    columns = ("source", "k", "question_id", *_SUMS)
    union = f"FROM ({' UNION ALL '.join(parts)}) sources"
    [rows] = yield [Select(columns, union, parameters(filters, len(parts)))]
    return [
        (sources[source][0], found, question, [int(value) for value in values])
        for source, found, question, *values in rows
    ]


def _scopes(filters: Filters) -> tuple[int, ...]:
    if filters.without_branch:
        return (HourRollup.WITHOUT_BRANCH,)
    return (HourRollup.CHAIN,) if filters.branch_ids is None else filters.branch_ids
