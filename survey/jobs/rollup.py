"""The daily figures: a few rows per day instead of a million submissions. A timer writes them; they can be rebuilt."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Min, Q, Sum
from django.utils import timezone

from survey.jobs.question_rollup import count_questions
from survey.models import BranchRollup, ChainRollup, DailyRollup, HourRollup, QuestionRollup, RollupDay, Submission
from survey.models.derived import submission_hour, submission_sums
from survey.scales import SATISFIED_SCORES

logger = logging.getLogger(__name__)

JOB = "update_figures"
# A submission takes its date when its request starts: a day is complete when no such request can still be running.
SETTLED_AFTER = timedelta(minutes=15)
# A day is counted again when it has been over for another day: the first count may have missed a submission that the
# release before or an instance with a wrong clock stored. Days further back than this stay as they are.
RECOUNTED_DAYS = 7


def count_days(seconds: float) -> int:
    """Count the days that are due, starting none after `seconds`. Return the number of days counted.

    Any number of timers may call this at once.
    """
    deadline = time.monotonic() + seconds
    return sum(_count_day(day) for day in due_days() if time.monotonic() < deadline)


def due_days() -> list[date]:
    """Return the days since the first submission that are over and to be counted, or counted again, oldest first."""
    first = Submission.objects.aggregate(first=Min("local_date"))["first"]
    last = _last_day()
    if first is None or first > last:
        return []
    counted = set(RollupDay.objects.filter(local_date__gte=first).values_list("local_date", flat=True))
    counted.difference_update(RollupDay.objects.filter(_is_due_again()).values_list("local_date", flat=True))
    every_day = (first + timedelta(number) for number in range((last - first).days + 1))
    return [day for day in every_day if day not in counted]


def _last_day() -> date:
    """Return the last day that is over."""
    return timezone.localdate(timezone.now() - SETTLED_AFTER) - timedelta(1)


def _is_due_again() -> Q:
    """Return the condition on a counted day that is to be counted again.

    A day without its hours was counted by the release before.
    """
    last = _last_day()
    recounted = (last - timedelta(RECOUNTED_DAYS), last - timedelta(1))
    without_hours = Q(hours_counted_at=None) | ~Q(hours_counted_at=F("counted_at"))
    return Q(is_late=True) | Q(is_final=False, local_date__range=recounted) | without_hours


def _count_day(day: date) -> bool:
    """Count one day, or count it again. Return False when another timer did so first."""
    with transaction.atomic():
        counted = _claim(day)
        if counted is None:
            return False
        counted.counted_at = counted.hours_counted_at = timezone.now()
        counted.summed_at = None
        for model in (DailyRollup, ChainRollup, BranchRollup, HourRollup, QuestionRollup):
            model.objects.filter(local_date=counted).delete()
        rows = (
            Submission.objects.filter(local_date=day)
            .values("branch_id", "language", "satisfaction")
            .annotate(**submission_sums())
            .order_by()
        )
        DailyRollup.objects.bulk_create(
            DailyRollup(local_date=counted, number=number, **row) for number, row in enumerate(rows)
        )
        _add_up(counted)
        _count_hours(counted)
        count_questions(counted)
        counted.is_late, counted.is_final = False, day < _last_day()
        counted.save()
    logger.info("rollup.counted", extra={"day": day.isoformat()})
    return True


def _add_up(counted: RollupDay) -> None:
    """Store the sums of the day's DailyRollup over branches, and over languages and scores."""
    rollups = DailyRollup.objects.filter(local_date=counted).order_by()
    of_chain = rollups.values("language", "satisfaction").annotate(**{name: Sum(name) for name in submission_sums()})
    ChainRollup.objects.bulk_create(
        ChainRollup(local_date=counted, counted_at=counted.counted_at, **row) for row in of_chain
    )
    satisfied = Sum("submissions", filter=Q(satisfaction__in=SATISFIED_SCORES), default=0)
    of_branches = rollups.values("branch_id").annotate(satisfied=satisfied, submissions=Sum("submissions"))
    BranchRollup.objects.bulk_create(
        BranchRollup(local_date=counted, number=number, **row) for number, row in enumerate(of_branches)
    )


def _count_hours(counted: RollupDay) -> None:
    """Store the day's submissions by hour, of each branch and of the whole chain."""
    satisfied = Count("id", filter=Q(satisfaction__in=SATISFIED_SCORES))
    rows = (
        Submission.objects.filter(local_date=counted.local_date)
        .values_list("branch_id", submission_hour())
        .annotate(submissions=Count("id"), satisfied=satisfied)
        .order_by()
    )
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for branch, hour, submissions, satisfied_ones in rows:
        for scope in (HourRollup.CHAIN, HourRollup.WITHOUT_BRANCH if branch is None else branch):
            sums[scope, hour][0] += submissions
            sums[scope, hour][1] += satisfied_ones
    HourRollup.objects.bulk_create(
        HourRollup(local_date=counted, scope=scope, hour=hour, submissions=n, satisfied=n_satisfied)
        for (scope, hour), (n, n_satisfied) in sums.items()
    )


def _claim(day: date) -> RollupDay | None:
    """Return the row of a due day, locked, so that a submission stored meanwhile marks it afterwards; else None."""
    counted = RollupDay.objects.select_for_update().filter(_is_due_again(), local_date=day).first()
    if counted is not None:
        return counted
    try:
        with transaction.atomic():
            return RollupDay.objects.create(local_date=day)
    except IntegrityError:
        return None
