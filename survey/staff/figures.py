"""The figures of a period beside those of the period before: in total, by branch, by problem."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from survey.scales import LOW_SCORES, SATISFIED_SCORES, Problem
from survey.staff import metrics, statements, submissions, sums
from survey.staff.filters import Filters
from survey.staff.statements import Reading, Select, gather

LISTED = 20  # branches from each end of the list, where it has more than twice as many
NEWEST_LOW = 2_000  # low scores that problems are counted from: a share is within 2 percentage points
_OF_BRANCH = (*sums.SCORES, *sums.NPS_GROUPS)
_OF_TOTAL = (*_OF_BRANCH, *sums.ASPECT_SUMS)


@dataclass
class Tally:
    """Submissions counted by score from 1 to 5 and by group of the NPS, and the moments of each aspect."""

    scores: list[int] = field(default_factory=lambda: [0] * 5)
    nps_groups: dict[str, int] = field(default_factory=lambda: dict.fromkeys(sums.NPS_GROUPS, 0))
    aspects: dict[str, int] = field(default_factory=lambda: dict.fromkeys(sums.ASPECT_SUMS, 0))

    def add(self, values: Sequence[int]) -> None:
        """Add the sums of _OF_TOTAL, or those of _OF_BRANCH, in their order."""
        scores = len(self.scores)
        self.scores = [count + value for count, value in zip(self.scores, values[:scores], strict=True)]
        counts = iter(values[scores:])
        for totals in (self.nps_groups, self.aspects):
            for name, value in zip(totals, counts, strict=False):
                totals[name] += value

    @property
    def n(self) -> int:
        """Return the number of submissions."""
        return sum(self.scores)

    @property
    def csat(self) -> metrics.Estimate | None:
        """Return the share of scores 4 and 5."""
        return metrics.csat(self.scores, SATISFIED_SCORES)

    @property
    def average(self) -> metrics.Estimate | None:
        """Return the mean score."""
        return metrics.average(self.scores)

    @property
    def nps(self) -> metrics.NetPromoterScore | None:
        """Return the NPS of the submissions that have a likelihood to recommend."""
        return metrics.net_promoter_score(**self.nps_groups)

    def aspect(self, name: str) -> metrics.Estimate | None:
        """Return the mean score of an aspect."""
        return metrics.mean(*(self.aspects[f"{name}_{moment}"] for moment in ("count", "sum", "squares")))


@dataclass(frozen=True)
class Figures:
    """The figures of a period and of the one before it."""

    now: Tally
    before: Tally
    by_branch: dict[int | None, tuple[Tally, Tally]]  # now and before, without aspects
    unlisted: int  # branches with submissions that `by_branch` lacks


def figures(filters: Filters, branches: int = 0, tables: sums.Calendar | None = None) -> Reading[Figures]:
    """Return the figures of the filters' period and of the one before, of a chain with so many branches.

    Of more than 2 * LISTED branches, `by_branch` has those with the highest and those with the lowest CSAT. `tables`
    may have a longer period.
    """
    tables = tables or (yield from sums.calendar(filters.before.start, filters.end))
    periods = [sums.days_between(part.start, part.end) for part in (filters, filters.before)]
    listed, unlisted = None, 0
    if branches > 2 * LISTED:
        rows = yield from sums.read(filters, tables, periods[:1], sums.COUNTS, sums.BY_BRANCH)
        listed, unlisted = lowest_and_highest(rows)
    # When no branch is left out, `by_branch` also has the branches with submissions in the period before only.
    of_total, of_branches = yield from gather(
        sums.read(filters, tables, periods, _OF_TOTAL),
        sums.read(filters, tables, periods, _OF_BRANCH, sums.BY_BRANCH, listed if unlisted else None),
    )
    tallies = (Tally(), Tally())
    for number, _key, values in of_total:
        tallies[number].add(values)
    by_branch: dict[int | None, tuple[Tally, Tally]] = defaultdict(lambda: (Tally(), Tally()))
    for number, branch, values in of_branches:
        by_branch[branch][number].add(values)
    return Figures(*tallies, dict(by_branch), unlisted)


def lowest_and_highest(rows: Iterable[tuple[int, Any, Sequence[int]]]) -> tuple[list[Any], int]:
    """Return the branches with the lowest and with the highest CSAT, LISTED of each, and the number of the others.

    `rows` are those of sums.read for sums.COUNTS, one for each branch. Branches without submissions do not count. The
    lower end of the CSAT's interval decides.
    """
    csats = {branch: csat.low for _period, branch, (good, n) in rows if (csat := metrics.share(good, n))}
    lowest_first = sorted(csats, key=lambda branch: (csats[branch], branch or 0))
    others = max(0, len(lowest_first) - 2 * LISTED)
    return lowest_first[:LISTED] + lowest_first[LISTED + others :], others


def submissions_by_day(filters: Filters) -> Reading[dict[date, int]]:
    """Return the number of submissions of each day that has any, oldest first."""
    tables = yield from sums.calendar(filters.start, filters.end)
    days = sums.days_between(filters.start, filters.end)
    counts: Counter[date] = Counter()
    rows = yield from sums.read(filters, tables, [days], ("submissions",), sums.BY_DAY)
    for _number, day, (n,) in rows:
        counts[date.fromisoformat(day)] += n
    return dict(sorted(counts.items()))


def problems(filters: Filters) -> Reading[tuple[int, dict[Problem, int]]]:
    """Return the number of low scores, and how many of them name each problem, the most frequent first.

    Counts the newest NEWEST_LOW low scores, of several branches some more, so that the work does not grow.
    """
    of_low = statements.is_in("satisfaction", LOW_SCORES)
    by_bits: Counter[int] = Counter()
    for sql, parameters in submissions.newest_parts(filters, "problems", of_low, NEWEST_LOW):
        [rows] = yield [Select(("problems", "COUNT(*)"), f"FROM ({sql}) newest GROUP BY problems", parameters)]
        for bits, n in rows:
            by_bits[bits] += n
        if by_bits.total() >= NEWEST_LOW:
            break
    counts = Counter({problem: sum(n for bits, n in by_bits.items() if bits & problem.value) for problem in Problem})
    return by_bits.total(), dict(counts.most_common())
