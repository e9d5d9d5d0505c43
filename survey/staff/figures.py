"""Figures from the daily rollups, exact to the last submission.

A counted day (RollupDay) without late submissions comes from DailyRollup, or, where branches do not matter, from
ChainRollup; any other, normally just today, from the submissions themselves. The list of counted days is read first and
used in both conditions: a timer that counts a day in the meantime neither doubles nor drops it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from statistics import median
from typing import Any

from django.db.models import BooleanField, Case, Count, F, Q, QuerySet, Sum, When
from django.utils import timezone

from survey.models import BranchRollup, ChainRollup, DailyRollup, RollupDay, Submission
from survey.models.derived import submission_sums
from survey.scales import ASPECTS, LOW_SCORES, SATISFIED_SCORES, Problem
from survey.staff import metrics, submissions
from survey.staff.filters import Filters

NPS_GROUPS = ("promoters", "passives", "detractors")
LISTED = 20  # branches from each end of the list, where it has more than twice as many
WEEK = 7  # days
YEAR = timedelta(52 * WEEK)  # to the same weekday a year ago
WINDOWS = (WEEK, 4 * WEEK, 13 * WEEK)  # days that a point of the trend is of
FEWEST = 10  # submissions of a point
MOST_POINTS = 31  # a phone has no room for more
NEWEST_LOW = 5_000  # low scores that problems are counted from
_ASPECT_SUMS = tuple(f"{aspect}_{moment}" for aspect in ASPECTS for moment in ("count", "sum", "squares"))


@dataclass
class Tally:
    """Submissions counted by score from 1 to 5 and by group of the NPS, and the moments of each aspect."""

    scores: list[int] = field(default_factory=lambda: [0] * 5)
    nps_groups: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NPS_GROUPS, 0))
    aspects: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_ASPECT_SUMS, 0))

    def add(self, row: dict[str, Any]) -> None:
        """Add a row of a rollup, or of submissions aggregated to the same columns, some of which may be missing."""
        self.scores[row["satisfaction"] - 1] += row["submissions"]
        for totals in (self.nps_groups, self.aspects):
            for name in totals:
                totals[name] += row.get(name) or 0

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
    by_day: dict[date, list[int]]  # scores of each day of both periods that has submissions
    by_branch: dict[int | None, tuple[Tally, Tally]]  # now and before, without aspects
    unlisted: int  # branches with submissions that `by_branch` lacks


def figures(filters: Filters, branches: int = 0) -> Figures:
    """Return the figures of the filters' period and of the one before, of a chain with so many branches.

    Of more than 2 * LISTED branches, `by_branch` has those with the highest and those with the lowest CSAT.
    """
    sources = _sources(filters, filters.before.start)
    tallies = (Tally(), Tally())
    sums = {name: Sum(name) for name in submission_sums()}
    for rollups in sources.in_total:
        for row in rollups.values("satisfaction", is_now=_is_now(filters)).annotate(**sums):
            tallies[not row["is_now"]].add(row)
    live = list(sources.live.values("local_date", "satisfaction").annotate(**submission_sums()))
    for row in live:
        tallies[row["local_date"] < filters.start].add(row)
    listed, unlisted = _listed(filters, sources) if branches > 2 * LISTED else (Q(), 0)
    return Figures(*tallies, _by_day(sources, live), _by_branch(filters, sources, listed), unlisted)


def submissions_by_day(filters: Filters) -> dict[date, int]:
    """Return the number of submissions of each day that has any, oldest first."""
    sources = _sources(filters, filters.start)
    live = sources.live.values("local_date", "satisfaction").annotate(submissions=Count("id"))
    return {day: sum(scores) for day, scores in sorted(_by_day(sources, live).items())}


@dataclass(frozen=True)
class Trend:
    """CSAT over time: each point is of the `window` days until its day, and `step` days after the point before."""

    window: int
    step: int
    points: list[Point]  # oldest first


@dataclass(frozen=True)
class Point:
    """A point of the trend. A figure from fewer than FEWEST submissions is None."""

    day: date
    submissions: int  # of the step
    csat: metrics.Estimate | None
    year_before: metrics.Estimate | None


def trend(filters: Filters, by_day: dict[date, list[int]]) -> Trend:
    """Return the trend of the period, whose windows reach into the period before, which `by_day` has too.

    The window is a week, in which each weekday counts once, or as many weeks as usually have SMALL_SAMPLE submissions.
    A period shorter than a week has no trend.
    """
    end = min(filters.end, timezone.localdate())
    days = (end - filters.start).days + 1
    if days < WEEK:
        return Trend(WEEK, 1, [])
    now = _Sums(by_day, filters.before.start, end)
    windows = [window for window in WINDOWS if window <= days]
    enough = (window for window in windows if now.usual(window) >= metrics.SMALL_SAMPLE)
    window = next(enough, windows[-1])
    step = 1 if window == WEEK and days <= MOST_POINTS else WEEK * -(-days // (WEEK * MOST_POINTS))
    window = max(window, step)
    first = filters.before.start - YEAR
    before = _Sums(_counted_by_day(filters, first, end - YEAR), first, end - YEAR)
    last_days = [end - timedelta(number) for number in range(0, days - step + 1, step)]
    points = [
        Point(day, now.counts(day, step)[1], _csat(now.counts(day, window)), _csat(before.counts(day - YEAR, window)))
        for day in reversed(last_days)
    ]
    return Trend(window, step, points)


class _Sums:
    """Running sums over days, from which a window of any length is two look-ups."""

    def __init__(self, by_day: dict[date, list[int]], start: date, end: date) -> None:
        self.start = start
        by_date = [by_day.get(start + timedelta(number), ()) for number in range((end - start).days + 1)]
        self.satisfied = [
            0,
            *accumulate(sum(scores[score - 1] for score in SATISFIED_SCORES if scores) for scores in by_date),
        ]
        self.totals = [0, *accumulate(map(sum, by_date))]

    def counts(self, last: date, days: int) -> tuple[int, int]:
        """Return the satisfied ones, and all, of so many days until the last one."""
        stop = (last - self.start).days + 1
        begin = max(0, stop - days)
        return self.satisfied[stop] - self.satisfied[begin], self.totals[stop] - self.totals[begin]

    def usual(self, days: int) -> int:
        """Return the median number of submissions of the whole windows of so many days."""
        return int(median(last - first for first, last in zip(self.totals, self.totals[days:], strict=False)))


def _csat(counts: tuple[int, int]) -> metrics.Estimate | None:
    satisfied, n = counts
    return metrics.share(satisfied, n) if n >= FEWEST else None


def _counted_by_day(filters: Filters, start: date, end: date) -> dict[date, list[int]]:
    """Return the scores of each day that has been counted: of days long past, which one query is enough for."""
    rollups = ChainRollup if filters.is_whole_chain else DailyRollup
    counted = rollups.objects.filter(filters.where(), local_date__gte=start, local_date__lte=end).order_by()
    by_day: dict[date, list[int]] = defaultdict(lambda: [0] * 5)
    for day, satisfaction, n in counted.values_list("local_date", "satisfaction").annotate(Sum("submissions")):
        by_day[day][satisfaction - 1] += n
    return by_day


def problems(filters: Filters) -> tuple[int, dict[Problem, int]]:
    """Return the number of low scores, and how many of them name each problem, the most frequent first.

    Counts the newest NEWEST_LOW low scores, so that the work is the same at a million submissions.
    """
    low = [score for score in LOW_SCORES if not filters.scores or score in filters.scores]

    def bits(part: Filters) -> QuerySet[Submission, int]:
        low_scores = submissions.matching(part).filter(satisfaction__in=low)
        return low_scores.order_by("-local_date").values_list("problems", flat=True)

    by_bits = Counter(submissions.newest(bits, filters, NEWEST_LOW))
    counts = Counter({problem: sum(n for bits, n in by_bits.items() if bits & problem) for problem in Problem})
    return by_bits.total(), dict(counts.most_common())


@dataclass(frozen=True)
class _Sources:
    """The rows that figures are added up from: the submissions of a day are in rollups or in `live`."""

    by_branch: QuerySet[DailyRollup]
    in_total: tuple[QuerySet[Any], ...]  # the same over all branches, in fewer rows where there are any
    ranked: tuple[QuerySet[BranchRollup], QuerySet[DailyRollup]]  # the same for CSAT by branch
    live: QuerySet[Submission]


def _sources(filters: Filters, start: date) -> _Sources:
    """Return the rows of the days from `start` to the end of the filters' period."""
    every_day = {start + timedelta(number) for number in range((filters.end - start).days + 1)}
    period = Q(local_date__gte=start, local_date__lte=filters.end)
    counted = set(RollupDay.objects.filter(period, is_late=False).values_list("local_date", flat=True))
    open_days = every_day - counted
    live = Submission.objects.filter(filters.where(), local_date__in=open_days).order_by()
    by_branch = DailyRollup.objects.filter(filters.where(), period).exclude(local_date__in=open_days).order_by()
    if not filters.is_whole_chain:
        return _Sources(by_branch, (by_branch,), (BranchRollup.objects.none(), by_branch), live)
    of_chain = ChainRollup.objects.filter(period, counted_at=F("local_date__counted_at"))
    summed = counted.intersection(of_chain.values_list("local_date", flat=True).distinct())
    of_chain = ChainRollup.objects.filter(filters.where(), period).exclude(local_date__in=every_day - summed).order_by()
    unsummed = counted - summed  # normally none
    not_summed = by_branch.filter(local_date__in=unsummed)
    ranked = (BranchRollup.objects.none(), by_branch)
    if not (filters.scores or filters.language):
        ranked = (BranchRollup.objects.filter(period).exclude(local_date__in=every_day - summed).order_by(), not_summed)
    return _Sources(by_branch, (of_chain, not_summed) if unsummed else (of_chain,), ranked, live)


def _is_now(filters: Filters) -> Case:
    return Case(When(local_date__gte=filters.start, then=True), default=False, output_field=BooleanField())


def _by_day(sources: _Sources, live: Iterable[dict[str, Any]]) -> dict[date, list[int]]:
    by_day: dict[date, list[int]] = defaultdict(lambda: [0] * 5)
    rows = [(row["local_date"], row["satisfaction"], row["submissions"]) for row in live]
    for rollups in sources.in_total:
        rows += rollups.values_list("local_date", "satisfaction").annotate(Sum("submissions"))
    for day, satisfaction, count in rows:
        by_day[day][satisfaction - 1] += count
    return dict(by_day)


def _listed(filters: Filters, sources: _Sources) -> tuple[Q, int]:
    """Return the condition on the branches to list, and the number of others that have submissions."""
    counts: dict[int | None, list[int]] = defaultdict(lambda: [0, 0])
    satisfied = Q(satisfaction__in=SATISFIED_SCORES)
    of_branches, rollups = sources.ranked
    for rows, columns in (
        (of_branches, (Sum("satisfied"), Sum("submissions"))),
        (rollups, (Sum("submissions", filter=satisfied), Sum("submissions"))),
        (sources.live, (Count("id", filter=satisfied), Count("id"))),
    ):
        of_now = rows.filter(local_date__gte=filters.start).values_list("branch")
        for branch, *row in of_now.annotate(count_satisfied=columns[0], count=columns[1]):
            counts[branch] = [total + (count or 0) for total, count in zip(counts[branch], row, strict=True)]
    lowest_first = sorted(counts, key=lambda branch: (_low(*counts[branch]), branch or 0))
    if len(lowest_first) <= 2 * LISTED:
        return Q(), 0
    listed = {*lowest_first[:LISTED], *lowest_first[-LISTED:]}
    without_branch = Q(branch=None) if None in listed else Q()
    return Q(branch__in=listed) | without_branch, len(lowest_first) - len(listed)


def _low(satisfied: int, n: int) -> float:
    estimate = metrics.share(satisfied, n)
    return estimate.low if estimate else 0.0


def _by_branch(filters: Filters, sources: _Sources, listed: Q) -> dict[int | None, tuple[Tally, Tally]]:
    tallies: dict[int | None, tuple[Tally, Tally]] = defaultdict(lambda: (Tally(), Tally()))
    columns = ("submissions", *NPS_GROUPS)
    counts = submission_sums()
    for rows, sums in (
        (sources.by_branch, {name: Sum(name) for name in columns}),
        (sources.live, {name: counts[name] for name in columns}),
    ):
        for row in rows.filter(listed).values("branch", "satisfaction", is_now=_is_now(filters)).annotate(**sums):
            tallies[row["branch"]][not row["is_now"]].add(row)
    return dict(tallies)
