"""Figures from the daily rollup, exact to the last submission.

A counted day (RollupDay) without late submissions comes from DailyRollup, any other, normally just today, from the
submissions themselves. The list of counted days is read first and used in both conditions: a timer that counts a day in
the meantime neither doubles nor drops it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, F, IntegerField, QuerySet, Sum, When

from survey.models import DailyRollup, RollupDay, Submission
from survey.models.derived import submission_sums
from survey.scales import ASPECTS, LOW_SCORES, SATISFIED_SCORES, Problem
from survey.staff import metrics, submissions
from survey.staff.filters import Filters

NPS_GROUPS = ("promoters", "passives", "detractors")
NEWEST_LOW = 5_000  # low scores that problems are counted from
_ASPECT_SUMS = tuple(f"{aspect}_{moment}" for aspect in ASPECTS for moment in ("count", "sum", "squares"))


@dataclass
class Tally:
    """Submissions counted by score from 1 to 5 and by group of the NPS, and the moments of each aspect."""

    scores: list[int] = field(default_factory=lambda: [0] * 5)
    nps_groups: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NPS_GROUPS, 0))
    aspects: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_ASPECT_SUMS, 0))

    def add(self, row: dict[str, Any]) -> None:
        """Add the scores and the NPS of a row of the rollup, or of submissions aggregated to the same columns."""
        self.scores[row["satisfaction"] - 1] += row["submissions"]
        for name in NPS_GROUPS:
            self.nps_groups[name] += row[name]

    def add_aspects(self, row: dict[str, Any]) -> None:
        """Add the aspects of a row."""
        for name in _ASPECT_SUMS:
            self.aspects[name] += row[name]

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


@dataclass
class Figures:
    """The figures of a period and of the one before it."""

    now: Tally = field(default_factory=Tally)
    before: Tally = field(default_factory=Tally)
    by_branch: dict[int | None, tuple[Tally, Tally]] = field(default_factory=dict)  # now, before
    by_day: dict[date, list[int]] = field(default_factory=dict)  # scores of each day that has submissions

    def add(self, row: dict[str, Any], *, is_now: bool) -> None:
        """Add a row to the tallies of its period and its branch."""
        now, before = self.by_branch.setdefault(row["branch"], (Tally(), Tally()))
        for tally in (now, self.now) if is_now else (before, self.before):
            tally.add(row)


def figures(filters: Filters) -> Figures:
    """Return the figures of the filters' period and of the one before, in five queries.

    Branches have no figures of aspects, whose 18 columns would be most of what is read for each.
    """
    rollups, open_days = _split_days(filters.before.start, filters.end)
    result = Figures()
    is_now = Case(When(local_date__gte=filters.start, then=1), default=0, output_field=IntegerField())
    matching = rollups.filter(filters.where()).order_by()
    for row in matching.values("branch", "satisfaction", is_now=is_now).annotate(**_sums("submissions", *NPS_GROUPS)):
        result.add(row, is_now=bool(row["is_now"]))
    for row in matching.values(is_now=is_now).annotate(**_sums(*_ASPECT_SUMS)):
        (result.now if row["is_now"] else result.before).add_aspects(row)
    _add_days(result.by_day, _sum_scores(rollups.filter(local_date__gte=filters.start), filters))
    for row in _count_submissions(open_days, filters):
        is_inside = row["local_date"] >= filters.start
        result.add(row, is_now=is_inside)
        (result.now if is_inside else result.before).add_aspects(row)
        if is_inside:
            _add_days(result.by_day, [row])
    return result


def submissions_by_day(filters: Filters) -> dict[date, int]:
    """Return the number of submissions of each day that has any, oldest first."""
    rollups, open_days = _split_days(filters.start, filters.end)
    by_day: dict[date, list[int]] = {}
    _add_days(by_day, _sum_scores(rollups, filters))
    _add_days(by_day, _count_submissions(open_days, filters))
    return {day: sum(scores) for day, scores in sorted(by_day.items())}


def trend(filters: Filters, by_day: dict[date, list[int]]) -> Iterator[tuple[date, list[int]]]:
    """Yield the scores of each day, or of each week from Monday, of the period, oldest first, also where all are 0."""

    def first_day(day: date) -> date:
        return day - timedelta(day.weekday()) if filters.by_week else day

    totals: dict[date, list[int]] = defaultdict(lambda: [0] * 5)
    for day, scores in by_day.items():
        total = totals[first_day(day)]
        total[:] = map(sum, zip(total, scores, strict=True))
    start = first_day(filters.start)
    while start <= filters.end:
        yield start, totals[start]
        start += timedelta(7 if filters.by_week else 1)


def problems(filters: Filters) -> tuple[int, dict[Problem, int]]:
    """Return the number of low scores, and how many of them name each problem, the most frequent first.

    Counts the newest NEWEST_LOW low scores, so that the work is the same at a million submissions.
    """
    low = [score for score in LOW_SCORES if not filters.scores or score in filters.scores]
    newest = submissions.matching(filters).filter(satisfaction__in=low).order_by("-local_date")
    by_bits = Counter(newest.values_list("problems", flat=True)[:NEWEST_LOW])
    counts = Counter({problem: sum(n for bits, n in by_bits.items() if bits & problem) for problem in Problem})
    return by_bits.total(), dict(counts.most_common())


def _split_days(start: date, end: date) -> tuple[QuerySet[DailyRollup], list[date]]:
    """Return the rollups of the counted days of a period, and its days that are not counted yet."""
    complete = RollupDay.objects.filter(local_date__range=(start, end), is_late=False)
    counted = set(complete.values_list("local_date", flat=True))
    every_day = (start + timedelta(number) for number in range((end - start).days + 1))
    open_days = [day for day in every_day if day not in counted]
    rollups = DailyRollup.objects.filter(local_date__gte=start, local_date__lte=end)
    return rollups.exclude(local_date__in=open_days), open_days


def _sums(*names: str) -> dict[str, Sum]:
    return {name: Sum(name) for name in names}


def _sum_scores(rollups: QuerySet[DailyRollup], filters: Filters) -> Iterable[dict[str, Any]]:
    rows = rollups.filter(filters.where()).values("satisfaction", day=F("local_date")).order_by()
    return ({**row, "local_date": row["day"]} for row in rows.annotate(submissions=Sum("submissions")))


def _count_submissions(days: list[date], filters: Filters) -> Iterable[dict[str, Any]]:
    if not days:
        return []
    of_days = Submission.objects.filter(filters.where(), local_date__in=days)
    return of_days.values("local_date", "branch", "satisfaction").annotate(**submission_sums()).order_by()


def _add_days(by_day: dict[date, list[int]], rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        by_day.setdefault(row["local_date"], [0] * 5)[row["satisfaction"] - 1] += row["submissions"]
