"""How long cases take from the submission until they are solved."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, QuerySet, Value, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from survey.models import FollowUpStatus, Submission
from survey.staff.filters import Filters
from survey.staff.submissions import narrowed

DEFAULT_DAYS = 90  # counted where the period has no ends, so that the work does not grow with the years


@dataclass(frozen=True)
class ClosingTime:
    """The number of solved cases, and the hours in which half of them were solved."""

    cases: int
    median_hours: float


@dataclass(frozen=True)
class ClosingTimes:
    """The time to close of a selection and of each of its branches (None: without a branch)."""

    days: int
    total: ClosingTime | None
    by_branch: dict[int | None, ClosingTime]


def closing_times(filters: Filters) -> ClosingTimes:
    """Return the times to close of the cases that were solved in the filters' period, whenever they came.

    A case that the release before solved has no time. One statement: the database orders the cases by duration, and
    sends the one or two in the middle.
    """
    start = timezone.localdate() - timedelta(DEFAULT_DAYS - 1) if filters.is_any_time else filters.start
    end = min(filters.end, timezone.localdate())
    solved = Submission.objects.filter(
        filters.where(),
        follow_up_status=FollowUpStatus.SOLVED,
        follow_up_closed_at__gte=_midnight(start),
        follow_up_closed_at__lt=_midnight(end + timedelta(1)),
    )
    # The status and the owner of the list do not matter: this is about all solved cases.
    of_problem = narrowed(solved, replace(filters, status="", owner_id=None))
    # Not both windows in one SELECT: MariaDB 10.11 sorts once for both, and numbers one of them wrongly.
    rows = _in_middle(of_problem, is_total=True).union(_in_middle(of_problem, is_total=False), all=True)
    middle: dict[tuple[bool, int | None], list[timedelta]] = defaultdict(list)
    cases: dict[tuple[bool, int | None], int] = {}
    for row in rows:
        key = (bool(row["is_total"]), None if row["is_total"] else row["branch_id"])
        middle[key].append(row["duration"])
        cases[key] = row["cases"]
    times = {key: ClosingTime(cases[key], _hours(durations)) for key, durations in middle.items()}
    total = times.pop((True, None), None)
    return ClosingTimes((end - start).days + 1, total, {branch: time for (_total, branch), time in times.items()})


def _in_middle(submissions: QuerySet[Submission], *, is_total: bool) -> QuerySet[Submission, dict[str, Any]]:
    """Return the case in the middle, or both of an even number; those of each branch unless `is_total`."""
    partition = None if is_total else "branch_id"
    numbered = submissions.order_by().annotate(
        is_total=Value(is_total),
        duration=ExpressionWrapper(F("follow_up_closed_at") - F("created_at"), DurationField()),
        place=Window(RowNumber(), partition_by=partition, order_by=["duration", "pk"]),
        cases=Window(Count("pk"), partition_by=partition),
    )
    in_middle = numbered.filter(place__gte=F("cases") / 2.0, place__lte=F("cases") / 2.0 + 1)
    return in_middle.values("is_total", "branch_id", "duration", "cases")


def _hours(middle: list[timedelta]) -> float:
    return sum(middle, timedelta()) / len(middle) / timedelta(hours=1)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
