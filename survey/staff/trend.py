"""CSAT over time, beside the same time a year before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from statistics import median
from typing import NamedTuple

from django.utils import timezone

from survey.jobs.months import next_month
from survey.staff import metrics, sums
from survey.staff.filters import Filters
from survey.staff.statements import Reading

DAY = timedelta(1)
WEEK = 7  # days
YEAR = timedelta(52 * WEEK)  # to the same weekday a year ago
WINDOWS = (WEEK, 4 * WEEK, 13 * WEEK)  # days that a point is of
MONTH_WINDOWS = (1, 3)  # months that a point of a long period is of
FEWEST = 10  # submissions of a point
MOST_POINTS = 31  # a phone has no room for more
MOST_DAYS = WEEK * MOST_POINTS  # of a period whose points are weeks; a longer one has months

Counts = tuple[int, int]  # satisfied ones, and all


@dataclass(frozen=True)
class Trend:
    """CSAT over time: each point is of the `window` days until its day, and `step` days after the point before.

    A monthly trend has months instead: a point is of whole months, the last one of the days that have begun.
    """

    window: int
    step: int
    points: list[Point]  # oldest first
    is_monthly: bool = False


class Point(NamedTuple):
    """A point of the trend. A figure from fewer than FEWEST submissions is None."""

    day: date
    submissions: int  # of the step
    csat: metrics.Estimate | None
    year_before: metrics.Estimate | None


def first_day(filters: Filters) -> date:
    """Return the first day that the trend of these filters reads."""
    if filters.days > MOST_DAYS:
        return _month(filters.start, -12 - MONTH_WINDOWS[-1] + 1)
    return filters.start - YEAR - timedelta(WINDOWS[-1])


def trend(filters: Filters, tables: sums.Calendar) -> Reading[Trend]:
    """Return the trend of the period, whose windows may begin before it; `tables` has the days from `first_day` on.

    The window is a week, in which each weekday counts once, or as many weeks as usually have SMALL_SAMPLE submissions.
    A period shorter than a week has no trend.
    """
    end = min(filters.end, timezone.localdate())
    if (end - filters.start).days + 1 < WEEK:
        return Trend(WEEK, 1, [])
    of_period = _of_months if filters.days > MOST_DAYS else _of_days
    return (yield from of_period(filters, tables, end))


def _of_days(filters: Filters, tables: sums.Calendar, end: date) -> Reading[Trend]:
    days = (end - filters.start).days + 1
    windows = [window for window in WINDOWS if window <= days]
    first = filters.start - timedelta(windows[-1] - 1)
    wanted = sums.days_between(first, end) | sums.days_between(first - YEAR, end - YEAR)
    by_day: dict[date, Counts] = defaultdict(lambda: (0, 0))
    rows = yield from sums.read(filters, tables, [wanted], sums.COUNTS, sums.BY_DAY)
    for _number, day, (satisfied, n) in rows:
        by_day[date.fromisoformat(day)] = (satisfied, n)
    now, before = _Sums(by_day, first, end), _Sums(by_day, first - YEAR, end - YEAR)
    enough = (window for window in windows if now.usual(window) >= metrics.SMALL_SAMPLE)
    window = next(enough, windows[-1])
    step = 1 if window == WEEK and days <= MOST_POINTS else WEEK
    last_days = [end - timedelta(number) for number in range(0, days - step + 1, step)]
    points = [
        Point(day, now.counts(day, step)[1], _csat(now.counts(day, window)), _csat(before.counts(day - YEAR, window)))
        for day in reversed(last_days)
    ]
    return Trend(window, step, points)


class _Sums:
    """Running sums over days, from which a window of any length is two look-ups."""

    def __init__(self, by_day: dict[date, Counts], start: date, end: date) -> None:
        self.start = start
        counts = [by_day.get(start + timedelta(number), (0, 0)) for number in range((end - start).days + 1)]
        self.satisfied = [0, *accumulate(satisfied for satisfied, _all in counts)]
        self.totals = [0, *accumulate(n for _satisfied, n in counts)]

    def counts(self, last: date, days: int) -> Counts:
        """Return the satisfied ones, and all, of so many days until the last one."""
        stop = (last - self.start).days + 1
        begin = max(0, stop - days)
        return self.satisfied[stop] - self.satisfied[begin], self.totals[stop] - self.totals[begin]

    def usual(self, days: int) -> int:
        """Return the median number of submissions of the whole windows of so many days."""
        return int(median(last - first for first, last in zip(self.totals, self.totals[days:], strict=False)))


def _of_months(filters: Filters, tables: sums.Calendar, end: date) -> Reading[Trend]:
    last = end.replace(day=1)
    count = 12 * (last.year - filters.start.year) + last.month - filters.start.month + 1
    months = [_month(last, number - count + 1) for number in range(1 - MONTH_WINDOWS[-1], count)]
    # The month that goes on is compared with as many days of a year before; the months before it with whole ones.
    last_before = min(_month(last, -12) + (end - last), _month(last, -11) - DAY)
    periods = sums.days_between(months[0], end), sums.days_between(_month(months[0], -12), last_before)
    by_month: tuple[dict[date, Counts], ...] = (defaultdict(lambda: (0, 0)), defaultdict(lambda: (0, 0)))
    rows = yield from sums.read(filters, tables, periods, sums.COUNTS, sums.BY_MONTH)
    for number, month, counts in rows:
        first = date.fromisoformat(f"{month}-01")
        by_month[number][first] = _total([by_month[number][first], counts])
    now, before = by_month
    usual = median(now[month][1] for month in months[MONTH_WINDOWS[-1] - 1 :])
    window = next((window for window in MONTH_WINDOWS if window * usual >= metrics.SMALL_SAMPLE), MONTH_WINDOWS[-1])
    points = []
    for number in range(MONTH_WINDOWS[-1] - 1, len(months)):
        of_window = months[number - window + 1 : number + 1]
        points.append(
            Point(
                min(end, next_month(months[number]) - DAY),
                now[months[number]][1],
                _csat(_total(now[month] for month in of_window)),
                _csat(_total(before[_month(month, -12)] for month in of_window)),
            )
        )
    return Trend(window, 1, points, is_monthly=True)


def _month(day: date, distance: int) -> date:
    """Return the first day of the month that is so many months after the day's."""
    months = 12 * day.year + day.month - 1 + distance
    return date(months // 12, months % 12 + 1, 1)


def _total(counts: Iterable[Sequence[int]]) -> Counts:
    satisfied, n = zip(*counts, strict=True)
    return sum(satisfied), sum(n)


def _csat(counts: Counts) -> metrics.Estimate | None:
    satisfied, n = counts
    return metrics.share(satisfied, n) if n >= FEWEST else None
