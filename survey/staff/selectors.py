"""What the staff read: figures from the daily rollup, exact to the last answer, and lists of answers.

A day that is counted (RollupDay) comes from DailyRollup; any other, normally just today, from the answers themselves.
Which days are which is read first and then stands in both conditions, so that a timer that counts a day in the
meantime neither doubles it nor drops it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, F, IntegerField, Q, QuerySet, Sum, When
from django.db.models.lookups import GreaterThan

from survey.models import DailyRollup, FollowUpStatus, RollupDay, Submission
from survey.models.derived import submission_sums
from survey.scales import ASPECTS, LOW_SCORES, SATISFIED_SCORES, Problem
from survey.staff import metrics
from survey.staff.filters import Filters

PARTS = ("promoters", "passives", "detractors")
NEWEST_LOW = 5_000  # low scores that problems are counted from
MANY = 1_000  # a badge says "1000+" rather than count on
_ASPECT_SUMS = tuple(f"{aspect}_{what}" for aspect in ASPECTS for what in ("count", "sum", "squares"))


@dataclass
class Tally:
    """Answers counted: by score from 1 to 5, by part of the NPS, and the moments of each aspect."""

    scores: list[int] = field(default_factory=lambda: [0] * 5)
    parts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 0))
    aspects: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_ASPECT_SUMS, 0))

    def add(self, row: dict[str, Any]) -> None:
        """Add a row of the rollup, or of answers counted as one."""
        self.scores[row["satisfaction"] - 1] += row["submissions"]
        for name in PARTS:
            self.parts[name] += row[name] or 0
        for name in _ASPECT_SUMS:
            self.aspects[name] += row[name] or 0

    @property
    def n(self) -> int:
        """How many answers."""
        return sum(self.scores)

    @property
    def csat(self) -> metrics.Estimate | None:
        """The share of 4 and 5."""
        return metrics.csat(self.scores, SATISFIED_SCORES)

    @property
    def average(self) -> metrics.Estimate | None:
        """The mean score."""
        return metrics.average(self.scores)

    @property
    def nps(self) -> metrics.NetPromoterScore | None:
        """NPS of those who answered its question."""
        return metrics.net_promoter_score(self.parts["promoters"], self.parts["passives"], self.parts["detractors"])

    def aspect(self, name: str) -> metrics.Estimate | None:
        """The mean of an aspect."""
        return metrics.mean(*(self.aspects[f"{name}_{what}"] for what in ("count", "sum", "squares")))


@dataclass
class Figures:
    """What the overview shows of a period."""

    now: Tally = field(default_factory=Tally)
    before: Tally = field(default_factory=Tally)
    by_branch: dict[int | None, tuple[Tally, Tally]] = field(default_factory=dict)  # now, before
    by_day: dict[date, list[int]] = field(default_factory=dict)  # scores of each day that has answers


def figures(filters: Filters) -> Figures:
    """The figures of a period and of the one before, in four queries."""
    counted, open_days = _days(filters.before.start, filters.end)
    result = Figures()
    is_now = Case(When(local_date__gte=filters.start, then=1), default=0, output_field=IntegerField())
    for row in (
        counted.filter(filters.where())
        .values("branch", "satisfaction", is_now=is_now)
        .annotate(**_rollup_sums())
        .order_by()
    ):
        _add(result, row, is_now=bool(row["is_now"]))
    _add_days(result.by_day, _scores_by_day(counted.filter(local_date__gte=filters.start), filters))
    for row in _count_submissions(open_days, filters):
        is_inside = row["local_date"] >= filters.start
        _add(result, row, is_now=is_inside)
        if is_inside:
            _add_days(result.by_day, [row])
    return result


def submissions_by_day(filters: Filters) -> dict[date, int]:
    """How many answers each day of the period has, oldest first; days without any are left out."""
    counted, open_days = _days(filters.start, filters.end)
    by_day: dict[date, list[int]] = {}
    _add_days(by_day, _scores_by_day(counted, filters))
    _add_days(by_day, _count_submissions(open_days, filters))
    return {day: sum(scores) for day, scores in sorted(by_day.items())}


def _days(start: date, end: date) -> tuple[QuerySet[DailyRollup], list[date]]:
    """The rollups of the counted days of a period, and its days that are not counted yet."""
    counted = set(RollupDay.objects.filter(local_date__range=(start, end)).values_list("local_date", flat=True))
    every_day = (start + timedelta(number) for number in range((end - start).days + 1))
    open_days = [day for day in every_day if day not in counted]
    rollups = DailyRollup.objects.filter(local_date__gte=start, local_date__lte=end)
    return rollups.exclude(local_date__in=open_days), open_days


def _rollup_sums() -> dict[str, Sum]:
    return {name: Sum(name) for name in ("submissions", *PARTS, *_ASPECT_SUMS)}


def _scores_by_day(rollups: QuerySet[DailyRollup], filters: Filters) -> Iterable[dict[str, Any]]:
    rows = rollups.filter(filters.where()).values("satisfaction", day=F("local_date")).order_by()
    return ({**row, "local_date": row["day"]} for row in rows.annotate(submissions=Sum("submissions")))


def _count_submissions(days: list[date], filters: Filters) -> Iterable[dict[str, Any]]:
    if not days:
        return []
    answers = Submission.objects.filter(filters.where(), local_date__in=days)
    return answers.values("local_date", "branch", "satisfaction").annotate(**submission_sums()).order_by()


def _add(result: Figures, row: dict[str, Any], *, is_now: bool) -> None:
    now, before = result.by_branch.setdefault(row["branch"], (Tally(), Tally()))
    (now if is_now else before).add(row)
    (result.now if is_now else result.before).add(row)


def _add_days(by_day: dict[date, list[int]], rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        by_day.setdefault(row["local_date"], [0] * 5)[row["satisfaction"] - 1] += row["submissions"]


def trend(filters: Filters, by_day: dict[date, list[int]]) -> Iterator[tuple[date, list[int]]]:
    """The scores of each day, or of each week from Monday, of the period, oldest first, also where there are none."""
    step = timedelta(7 if filters.by_week else 1)
    start = filters.start - timedelta(filters.start.weekday() if filters.by_week else 0)
    weeks: dict[date, list[int]] = defaultdict(lambda: [0] * 5)
    for day, scores in by_day.items():
        first = day - timedelta(day.weekday()) if filters.by_week else day
        weeks[first] = [total + count for total, count in zip(weeks[first], scores, strict=True)]
    while start <= filters.end:
        yield start, weeks[start]
        start += step


def submissions(filters: Filters) -> QuerySet[Submission]:
    """The answers that the filters choose, words aside."""
    found = Submission.objects.filter(filters.where(), local_date__range=(filters.start, filters.end))
    return found.filter(GreaterThan(F("problems").bitand(filters.problem), 0)) if filters.problem else found


def older_than(found: QuerySet[Submission], day: date, pk: int) -> QuerySet[Submission]:
    """What comes after this day's answer with this key in a list that is newest first."""
    return found.filter(Q(local_date__lt=day) | Q(local_date=day, pk__lt=pk), local_date__lte=day)


def low_scores(filters: Filters, status: str) -> QuerySet[Submission]:
    """Low scores of the period with a follow-up status, or with any, newest first."""
    wanted = Q(follow_up_status=status) if status else Q(follow_up_status__in=FollowUpStatus.values)
    return submissions(filters).filter(wanted).select_related("branch").order_by("-local_date", "-id")


def problems(filters: Filters) -> tuple[int, dict[Problem, int]]:
    """How many low scores the period has, at most NEWEST_LOW, and how many of them name each problem, most first.

    Counted from the newest ones, so that the work is the same at a million answers.
    """
    wanted = [score for score in LOW_SCORES if not filters.scores or score in filters.scores]
    newest = submissions(filters).filter(satisfaction__in=wanted).order_by("-local_date")
    named = Counter(newest.values_list("problems", flat=True)[:NEWEST_LOW])
    counts = {problem: sum(n for bits, n in named.items() if bits & problem) for problem in Problem}
    return named.total(), dict(sorted(counts.items(), key=lambda item: -item[1]))


def next_open(filters: Filters, after: Submission) -> Submission | None:
    """The open low score that comes after this answer in the list, or else its first; None when no other is open."""
    others = low_scores(filters, FollowUpStatus.OPEN).exclude(pk=after.pk)
    return older_than(others, after.local_date, after.pk).first() or others.first()


def open_low_scores(submissions: QuerySet[Submission]) -> int:
    """How many low scores wait for somebody, at most MANY."""
    return submissions.filter(follow_up_status=FollowUpStatus.OPEN).order_by()[:MANY].count()
