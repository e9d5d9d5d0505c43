"""The figures of months, added up from those of their days: a thirtieth of the rows for a long period.

A month that goes on is added up until its last counted day, anew after each day.
"""

from __future__ import annotations

import logging
import time
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Count, F, Max, Min, Q, Sum
from django.db.models.functions import TruncMonth

from survey.models import DailyRollup, MonthRollup, RollupDay
from survey.models.derived import submission_sums

logger = logging.getLogger(__name__)

# How long sums of a part of a month stay: a page that runs may have read that they are valid.
PART_KEPT = timedelta(7)


def add_up_months(seconds: float) -> int:
    """Add up the months that are due, starting none after `seconds`. Return the number of months added up.

    Any number of timers may call this at once, beside others that count days.
    """
    deadline = time.monotonic() + seconds
    return sum(_add_up(month) for month in due_months() if time.monotonic() < deadline)


def due_months() -> list[date]:
    """Return the first days of the months to be added up, or added up again, the newest first.

    A month is due when its days are counted from the first on, none is late, and a day was counted after the sum.
    """
    months = RollupDay.objects.order_by().values_list(TruncMonth("local_date"))
    counts = months.annotate(
        days=Count("pk"),
        last=Max("local_date"),
        late=Count("pk", filter=Q(is_late=True)),
        summed=Count("pk", filter=Q(summed_at=F("counted_at"))),
        until=Min("summed_until"),
    )
    return sorted(
        (
            month
            for month, days, last, late, summed, until in counts
            if days == last.day and not late and not (summed == days and until == last)
        ),
        reverse=True,
    )


def next_month(first: date) -> date:
    """Return the first day of the month after the one with this first day."""
    return (first + timedelta(31)).replace(day=1)


def rollup_key(month: date, last: date) -> date:
    """Return `MonthRollup.month` of the sum of a month's days from the first to `last`.

    The sum of a part of a month has a key for each last day. A page that began before the newest day was added finds
    the sum without that day, which it reads from the submissions.
    """
    return month if last + timedelta(1) == next_month(month) else last


def _add_up(month: date) -> bool:
    """Add up one month. Return False when it is not due any more.

    Rows of a month whose days are counted again stay until they are replaced here: a page that read before which months
    are valid reads the sums as they were then.
    """
    in_month = Q(local_date__gte=month, local_date__lt=next_month(month))
    with transaction.atomic():
        # Locked: a submission that marks one of these days, or a count, waits, and makes the sum invalid afterwards.
        days = list(RollupDay.objects.select_for_update().filter(in_month).order_by("local_date"))
        if not days or len(days) < days[-1].local_date.day or any(day.is_late for day in days):
            return False
        last = days[-1].local_date
        if all(day.summed_at == day.counted_at and day.summed_until == last for day in days):
            return False
        key = rollup_key(month, last)
        MonthRollup.objects.filter(month=key).delete()
        MonthRollup.objects.filter(month__lt=last - PART_KEPT).exclude(month__day=1).delete()
        sums = {name: Sum(name) for name in submission_sums()}
        scores = {
            f"score_{score}": Sum("submissions", filter=Q(satisfaction=score), default=0) for score in range(1, 6)
        }
        rows = DailyRollup.objects.filter(in_month).values("branch_id").annotate(**scores, **sums).order_by()
        MonthRollup.objects.bulk_create(MonthRollup(month=key, number=number, **row) for number, row in enumerate(rows))
        RollupDay.objects.filter(in_month).update(summed_at=F("counted_at"), summed_until=last)
    logger.info("rollup.month", extra={"month": month.isoformat()})
    return True
