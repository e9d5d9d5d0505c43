"""How long cases take from the submission until they are solved."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from django.db.models import DurationField, ExpressionWrapper, F
from django.utils import timezone

from survey.models import FollowUpStatus, Submission
from survey.staff import statements
from survey.staff.filters import Filters
from survey.staff.submissions import narrowed

HOUR = 3_600_000_000  # microseconds
NEWEST = 20_000  # solved cases that are counted, so that the work is the same at a million
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

    @property
    def is_of_newest(self) -> bool:
        """Return whether only the NEWEST cases of the period are counted, since there may be more."""
        return self.total is not None and self.total.cases == NEWEST


def closing_times(filters: Filters) -> ClosingTimes:
    """Return the times to close of the NEWEST cases that were solved in the filters' period, whenever they came.

    A case that the release before solved has no time. One statement: the database orders the cases by duration, and
    sends the one or two in the middle, of the selection and of each branch.
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
    of_problem = narrowed(solved, replace(filters, status="", owner_id=None)).order_by("-follow_up_closed_at")
    duration = ExpressionWrapper(F("follow_up_closed_at") - F("created_at"), DurationField())
    newest = of_problem.annotate(duration=duration).values("branch_id", "duration")[:NEWEST]
    sql, parameters = newest.query.sql_with_params()
    rows = statements.execute(_IN_MIDDLE.format(solved=sql), parameters)
    of_total: list[int] = []
    of_branches: dict[int | None, list[int]] = defaultdict(list)
    cases: dict[int | None, int] = {}
    count = 0
    for branch, microseconds, place, cases[branch], place_of_all, count in rows:
        if _is_in_middle(place, cases[branch]):
            of_branches[branch].append(microseconds)
        if _is_in_middle(place_of_all, count):
            of_total.append(microseconds)
    total = ClosingTime(count, _hours(of_total)) if count else None
    by_branch = {branch: ClosingTime(cases[branch], _hours(middle)) for branch, middle in of_branches.items()}
    return ClosingTimes((end - start).days + 1, total, by_branch)


# Windows over two columns: over the submissions themselves, MariaDB would sort all that it has of each. And not both
# windows in one SELECT: MariaDB 10.11 sorts once for both, and numbers one of them wrongly.
_IN_MIDDLE = """
SELECT * FROM (
    SELECT branch_id, duration, place, cases, ROW_NUMBER() OVER (ORDER BY duration) place_of_all, COUNT(*) OVER () n
    FROM (
        SELECT branch_id, duration, ROW_NUMBER() OVER (PARTITION BY branch_id ORDER BY duration) place,
        COUNT(*) OVER (PARTITION BY branch_id) cases FROM ({solved}) solved
    ) of_branches
) of_all
WHERE place BETWEEN cases / 2.0 AND cases / 2.0 + 1 OR place_of_all BETWEEN n / 2.0 AND n / 2.0 + 1
"""


def _is_in_middle(place: int, cases: int) -> bool:
    """Return whether a place, from 1 on, is one of the one or two in the middle."""
    return cases / 2 <= place <= cases / 2 + 1


def _hours(microseconds: list[int]) -> float:
    return sum(microseconds) / len(microseconds) / HOUR


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
