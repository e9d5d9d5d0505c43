"""Submissions by hour, day and branch: from the hourly rollup, and from the submissions for days that it lacks.

`counted_among` is read first and passed on, so that a timer that counts a day meanwhile neither doubles nor drops it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, When
from django.db.models.functions import ExtractIsoWeekDay

from survey.models import BranchRollup, HourRollup, RollupDay, Submission
from survey.models.derived import submission_hour
from survey.scales import SATISFIED_SCORES
from survey.staff import metrics
from survey.staff.filters import Filters, are_many
from survey.staff.sums import days_between

HOURS = 24
# The same two numbers from either table.
SUMS: dict[str, Any] = {"n": Sum("submissions"), "n_satisfied": Sum("satisfied")}
COUNTS: dict[str, Any] = {"n": Count("id"), "n_satisfied": Count("id", filter=Q(satisfaction__in=SATISFIED_SCORES))}


@dataclass
class Tally:
    """A number of submissions, and how many of them are satisfied."""

    submissions: int = 0
    satisfied: int = 0

    def add(self, submissions: int, satisfied: int) -> None:
        """Add more of them."""
        self.submissions += submissions
        self.satisfied += satisfied

    @property
    def csat(self) -> metrics.Estimate | None:
        """Return the share of the satisfied ones; None without submissions."""
        return metrics.share(self.satisfied, self.submissions)


def counted_among(days: Collection[date]) -> set[date]:
    """Return which of the days the hourly rollup has complete."""
    if not days:
        return set()
    period = RollupDay.objects.filter(local_date__range=(min(days), max(days)))
    complete = period.filter(is_late=False, hours_counted_at=F("counted_at"))
    return set(complete.values_list("local_date", flat=True)).intersection(days)


def by_hour(filters: Filters, days: Collection[date], counted: Collection[date]) -> dict[date, list[Tally]]:
    """Return the 24 hours of each of the days, over the branches of the filters."""
    found = {day: [Tally() for _hour in range(HOURS)] for day in days}
    rollups = _rollups(filters).filter(local_date__in=counted)
    live = _live(filters).filter(local_date__in=set(days).difference(counted))
    rows = [
        *rollups.values_list("local_date", "hour").annotate(**SUMS),
        *live.values_list("local_date", submission_hour()).annotate(**COUNTS),
    ]
    for day, hour, submissions, satisfied in rows:
        found[day][hour].add(submissions, satisfied)
    return found


def by_weekday(filters: Filters) -> dict[tuple[int, int], Tally]:
    """Return the submissions of the filters' period and branches by weekday (0: Monday) and hour of the day."""
    days = days_between(filters.start, filters.end)
    counted = counted_among(days)
    period = Q(local_date__gte=filters.start, local_date__lte=filters.end)
    open_days = days - counted
    rollups = _rollups(filters).filter(period).exclude(local_date__in=open_days)
    live = _live(filters).filter(local_date__in=open_days)
    rows = [
        *rollups.values_list(ExtractIsoWeekDay("local_date__local_date"), "hour").annotate(**SUMS),
        *live.values_list(ExtractIsoWeekDay("local_date"), submission_hour()).annotate(**COUNTS),
    ]
    found: dict[tuple[int, int], Tally] = defaultdict(Tally)
    for weekday, hour, submissions, satisfied in rows:
        found[weekday - 1, hour].add(submissions, satisfied)
    return dict(found)


def by_branch(
    branches: Sequence[int], parts: Sequence[tuple[date, date]], counted: Collection[date]
) -> dict[int, list[Tally]]:
    """Return the submissions of each branch in each of the parts, periods that follow each other, oldest first.

    BranchRollup is counted with the hours: it has each of the counted days.
    """
    found: dict[int, list[Tally]] = defaultdict(lambda: [Tally() for _part in parts])
    start, end = parts[0][0], parts[-1][1]
    open_days = days_between(start, end).difference(counted)
    part = Case(
        *(When(local_date__lte=last, then=number) for number, (_first, last) in enumerate(parts)),
        output_field=IntegerField(),
    )
    # Many branches: one range of days, and one row a day of each. Few: a range of each branch.
    is_by_date = are_many(branches)
    of_branches = BranchRollup.objects.all() if is_by_date else HourRollup.objects.filter(scope__in=branches)
    rollups = of_branches.filter(local_date__gte=start, local_date__lte=end).exclude(local_date__in=open_days)
    live = Submission.objects.filter(local_date__in=open_days).order_by()
    if not is_by_date:
        live = live.filter(branch__in=branches)
    rows = [
        *rollups.order_by().values_list("branch" if is_by_date else "scope", part).annotate(**SUMS),
        *live.values_list("branch", part).annotate(**COUNTS),
    ]
    wanted = set(branches)
    for branch, number, submissions, satisfied in rows:
        if branch in wanted:
            found[branch][number].add(submissions, satisfied)
    return dict(found)


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies."""
    result = Tally()
    for tally in tallies:
        result.add(tally.submissions, tally.satisfied)
    return result


def _live(filters: Filters) -> QuerySet[Submission]:
    return Submission.objects.filter(filters.where()).order_by()


def _rollups(filters: Filters) -> QuerySet[HourRollup]:
    scopes: tuple[int, ...] = filters.branch_ids or ()
    if filters.is_whole_chain:
        scopes = (HourRollup.CHAIN,)
    elif filters.without_branch:
        scopes = (HourRollup.WITHOUT_BRANCH,)
    return HourRollup.objects.filter(scope__in=scopes).order_by()
