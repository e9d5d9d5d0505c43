"""The daily figures: a few rows per day instead of a million submissions. A timer writes them; they can be rebuilt."""

from __future__ import annotations

import logging
import time
from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Min
from django.utils import timezone

from survey.models import DailyRollup, RollupDay, Submission
from survey.models.derived import submission_sums

logger = logging.getLogger(__name__)

JOB = "update_figures"
# A submission takes its date when its request starts: a day is complete when no such request can still be running.
SETTLED_AFTER = timedelta(minutes=15)


def count_days(seconds: float) -> int:
    """Count the days that are over, starting none after `seconds`. Return the number of days counted.

    Any number of timers may call this at once.
    """
    deadline = time.monotonic() + seconds
    return sum(_count_day(day) for day in uncounted_days() if time.monotonic() < deadline)


def uncounted_days() -> list[date]:
    """Return the days since the first submission that are over and not counted, oldest first."""
    first = Submission.objects.aggregate(first=Min("local_date"))["first"]
    last = timezone.localdate(timezone.now() - SETTLED_AFTER) - timedelta(1)
    if first is None or first > last:
        return []
    counted = set(RollupDay.objects.filter(local_date__gte=first).values_list("local_date", flat=True))
    every_day = (first + timedelta(number) for number in range((last - first).days + 1))
    return [day for day in every_day if day not in counted]


def _count_day(day: date) -> bool:
    """Count one day. Return False when another timer counted it first."""
    try:
        with transaction.atomic():
            counted = RollupDay.objects.create(local_date=day)
            rows = (
                Submission.objects.filter(local_date=day)
                .values("branch_id", "language", "satisfaction")
                .annotate(**submission_sums())
                .order_by()
            )
            DailyRollup.objects.bulk_create(
                DailyRollup(local_date=counted, number=number, **row) for number, row in enumerate(rows)
            )
    except IntegrityError:
        if not RollupDay.objects.filter(local_date=day).exists():
            raise
        return False
    logger.info("rollup.counted", extra={"day": day.isoformat()})
    return True
