"""Branches compared with each other: by aspect, and by the problems that guests name.

A branch is compared with all the others together that the account sees: a chain that holds the branch itself would
hide half of a difference between two. Differences from fewer than SMALL_SAMPLE submissions on either side are hidden.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from survey import chain
from survey.scales import LOW_SCORES, Problem
from survey.staff import figures, metrics, statements, submissions, sums
from survey.staff.figures import Tally
from survey.staff.filters import Filters
from survey.staff.question_figures import own_figures_by_branch
from survey.staff.statements import Reading, gather

CSAT = "csat"
NEWEST_LOW = 5_000  # low scores that problems are counted from, which many branches share
BITS = [int(problem) for problem in Problem]  # `&` of a flag takes thirty times the CPU
NAME, COUNT = "name", "n"  # of the columns beside the figures
COLUMNS = (*sums.SCORES, *sums.NPS_GROUPS, *sums.ASPECT_SUMS)  # as Tally adds them


@dataclass(frozen=True)
class Column:
    """A figure to compare: its key in query strings, its label, and whether a higher one is worse."""

    key: str
    label: str
    is_share: bool
    is_bad: bool = False
    bit: int = 0  # of Problem; of head office's own problem the negative id


def aspects() -> list[Column]:
    """Return CSAT and the aspects, in the order of the survey."""
    asked = chain.current().asked(chain.ASPECT)
    return [Column(CSAT, "CSAT", True), *(Column(question.field, question.local_label, False) for question in asked)]


def problems() -> list[Column]:
    """Return the problems, in the order of the survey."""
    return [
        Column(
            question.key,
            question.local_label,
            True,
            is_bad=True,
            bit=int(Problem[question.key.upper()]) if question.is_core else -question.id,
        )
        for question in chain.current().asked(chain.PROBLEM)
    ]


@dataclass(frozen=True)
class Cell:
    """A figure of a branch, and its difference from the others; None where a sample is too small to compare."""

    estimate: metrics.Estimate | None
    difference: metrics.Change | None
    column: Column

    @property
    def tone(self) -> str:
        """Return `worse` or `better` if the interval says so, else ''."""
        if self.difference is None or not self.difference.is_clear:
            return ""
        return "worse" if (self.difference.value > 0) == self.column.is_bad else "better"

    @classmethod
    def compare(cls, column: Column, one: metrics.Estimate | None, others: metrics.Estimate | None) -> Cell:
        """Return the cell of a figure beside that of the others."""
        difference = metrics.change(one, others)
        return cls(one, difference if difference and difference.n >= metrics.SMALL_SAMPLE else None, column)


@dataclass(frozen=True)
class Counts:
    """Submissions since a day, and how many of them name each problem, by its bit."""

    submissions: int
    named: Counter[int]

    def share(self, column: Column) -> metrics.Estimate | None:
        """Return the share of submissions that name a problem."""
        return metrics.share(self.named[column.bit], self.submissions)

    def without(self, part: Counts) -> Counts:
        """Return these counts without a part of them."""
        return Counts(self.submissions - part.submissions, self.named - part.named)


def figure(tally: Tally, column: Column) -> metrics.Estimate | None:
    """Return CSAT or an aspect's mean of a tally."""
    return tally.csat if column.key == CSAT else tally.aspect(column.key)


def without(total: Tally, part: Tally) -> Tally:
    """Return a tally without a part of it; the groups of the NPS are left out."""
    return Tally(
        scores=[all_ - one for all_, one in zip(total.scores, part.scores, strict=True)],
        aspects={name: count - part.aspects[name] for name, count in total.aspects.items()},
    )


@dataclass(frozen=True)
class Scores:
    """The tallies of the listed branches and of everything."""

    by_branch: dict[int, Tally]
    total: Tally
    unlisted: int  # branches with submissions that `by_branch` lacks


def scores(filters: Filters, branches: Sequence[int], chosen: Collection[int] = ()) -> Reading[Scores]:
    """Return the tallies of these branches, and of all that the filters select.

    Of more than 2 * LISTED branches, those with the highest and those with the lowest CSAT are listed; with branches
    `chosen`, these alone.
    """
    tables = yield from sums.calendar(filters.start, filters.end)
    periods = [sums.days_between(filters.start, filters.end)]
    listed, unlisted = list(chosen or branches), 0
    if not chosen and len(branches) > 2 * figures.LISTED:
        rows = yield from sums.read(filters, tables, periods, sums.COUNTS, sums.BY_BRANCH)
        listed, unlisted = figures.lowest_and_highest(row for row in rows if row[1] is not None)
    of_listed, of_total, (own_by_branch, own_total) = yield from gather(
        sums.read(filters, tables, periods, COLUMNS, sums.BY_BRANCH, listed),
        sums.read(filters, tables, periods, COLUMNS),
        own_figures_by_branch(filters, listed, tables),
    )
    by_branch: dict[int, Tally] = defaultdict(Tally)
    for _number, branch, values in of_listed:
        by_branch[branch].add(values)
    total = Tally()
    for _number, _key, values in of_total:
        total.add(values)
    for question in chain.current().own:
        pairs = [(tally, own_by_branch[branch]) for branch, tally in by_branch.items()]
        for tally, own in ((total, own_total), *pairs):
            for moment, value in zip(("count", "sum", "squares"), own.moments(question.id), strict=True):
                tally.aspects[f"{question.field}_{moment}"] = value
    return Scores(dict(by_branch), total, unlisted)


@dataclass(frozen=True)
class Complaints:
    """The problems of the listed branches and of everything, since a day."""

    since: date
    by_branch: dict[int, Counts]
    total: Counts


def complaints(filters: Filters, listed: Sequence[int]) -> Reading[Complaints]:
    """Return how often guests of the listed branches, and of all that the filters select, name each problem.

    Counts the newest NEWEST_LOW low scores, so that the work is the same at a million submissions. Where the period has
    more, it begins with the first day that these have whole.
    """
    of_low = statements.is_in("satisfaction", LOW_SCORES)
    columns = "branch_id, SUBSTR(local_date, 1, 10), problems"
    rows = submissions.newest_rows(filters, columns, of_low, NEWEST_LOW)
    since = filters.start
    if len(rows) >= NEWEST_LOW:
        oldest = sorted((day for _branch, day, _bits in rows), reverse=True)[NEWEST_LOW - 1]
        since = date.fromisoformat(oldest) + timedelta(1)
    first = str(since)
    by_bits = Counter((branch, bits) for branch, day, bits in rows if day >= first)
    named: dict[int | None, Counter[int]] = defaultdict(Counter)
    everything: Counter[int] = Counter()
    for (branch, bits), n in by_bits.items():
        for problem in BITS:
            if bits & problem:
                named[branch][problem] += n
                everything[problem] += n
    tables = yield from sums.calendar(since, filters.end)
    days = [sums.days_between(since, filters.end)]
    (own_by_branch, own_total), of_listed, of_total = yield from gather(
        own_figures_by_branch(replace(filters, start=since), listed, tables),
        sums.read(filters, tables, days, ("submissions",), sums.BY_BRANCH, listed),
        sums.read(filters, tables, days, ("submissions",)),
    )
    for question in chain.current().own:
        everything[-question.id] = own_total.problem(question.id)
        for branch, own in own_by_branch.items():
            named[branch][-question.id] = own.problem(question.id)
    by_branch = {branch: Counts(n, named[branch]) for _number, branch, (n,) in of_listed}
    total = sum(n for _number, _key, (n,) in of_total)
    return Complaints(since, by_branch, Counts(total, everything))


Key = Callable[[Any], Any]


def sort_rows(rows: Iterable[Any], order: str, keys: dict[str, Key], default: str) -> tuple[list[Any], str]:
    """Return rows by one of the keys, descending after a minus sign, rows without a value last; and the order used."""
    name = order.lstrip("-")
    if name not in keys:
        order, name = default, default.lstrip("-")
    key, rows = keys[name], list(rows)
    missing = [row for row in rows if key(row) is None]
    present = sorted((row for row in rows if key(row) is not None), key=key, reverse=order.startswith("-"))
    return [*present, *missing], order
