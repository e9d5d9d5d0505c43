"""The daily rollup: a million answers as a few rows a day. Kept by a timer; deleting it loses nothing."""

from __future__ import annotations

import logging
import time
from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max, Min
from django.utils import timezone

from survey.models import DailyRollup, RollupDay, Submission
from survey.models.derived import submission_sums

logger = logging.getLogger(__name__)

JOB = "update_figures"
# An answer takes its date when its request begins: a day is complete once no request of it can still be running.
SETTLED_AFTER = timedelta(minutes=15)


def count_days(seconds: float) -> int:
    """Count the days that are over and not counted yet, starting none after `seconds`; returns how many.

    Any number of timers may do this at once.
    """
    give_up = time.monotonic() + seconds
    return sum(_count_day(day) for day in days_to_count() if time.monotonic() < give_up)


def days_to_count() -> list[date]:
    """The days since the first answer that are over and not counted, oldest first."""
    first = Submission.objects.aggregate(first=Min("local_date"))["first"]
    last = timezone.localdate(timezone.now() - SETTLED_AFTER) - timedelta(1)
    if first is None or first > last:
        return []
    newest = RollupDay.objects.aggregate(newest=Max("local_date"))["newest"]
    if newest == last and RollupDay.objects.filter(local_date__gte=first).count() == (last - first).days + 1:
        return []
    counted = set(RollupDay.objects.filter(local_date__gte=first).values_list("local_date", flat=True))
    every_day = (first + timedelta(number) for number in range((last - first).days + 1))
    return [day for day in every_day if day not in counted]


def _count_day(day: date) -> bool:
    """Count one day; False when another timer was first."""
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
