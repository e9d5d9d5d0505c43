"""The figures of whole months, added up from those of their days: a thirtieth of the rows for a long period."""

from __future__ import annotations

import logging
import time
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncMonth

from survey.models import DailyRollup, MonthRollup, RollupDay
from survey.models.derived import submission_sums

logger = logging.getLogger(__name__)


def add_up_months(seconds: float) -> int:
    """Add up the months that are due, starting none after `seconds`. Return the number of months added up.

    Any number of timers may call this at once, beside others that count days.
    """
    deadline = time.monotonic() + seconds
    return sum(_add_up(month) for month in due_months() if time.monotonic() < deadline)


def due_months() -> list[date]:
    """Return the first days of the months to be added up, or added up again, the newest first.

    A month is due when all its days are counted, none is late, and a day was counted after the sum.
    """
    unsummed_days = Count("pk", filter=Q(summed_at=None) | ~Q(summed_at=F("counted_at")))
    months = RollupDay.objects.order_by().values_list(TruncMonth("local_date"))
    counts = months.annotate(days=Count("pk"), late=Count("pk", filter=Q(is_late=True)), unsummed=unsummed_days)
    return sorted(
        (
            month
            for month, days, late, unsummed in counts
            if unsummed and not late and days == (next_month(month) - month).days
        ),
        reverse=True,
    )


def next_month(first: date) -> date:
    """Return the first day of the month after the one with this first day."""
    return (first + timedelta(31)).replace(day=1)


def _add_up(month: date) -> bool:
    """Add up one month. Return False when it is not due any more.

    Rows of a month whose days are counted again stay until they are replaced here: a page that read before which months
    are valid reads the sums as they were then.
    """
    in_month = Q(local_date__gte=month, local_date__lt=next_month(month))
    with transaction.atomic():
        # Locked: a submission that marks one of these days, or a count, waits, and makes the sum invalid afterwards.
        days = list(RollupDay.objects.select_for_update().filter(in_month))
        is_due = any(day.summed_at != day.counted_at for day in days) and not any(day.is_late for day in days)
        if not is_due or len(days) < (next_month(month) - month).days:
            return False
        MonthRollup.objects.filter(month=month).delete()
        sums = {name: Sum(name) for name in submission_sums()}
        scores = {
            f"score_{score}": Sum("submissions", filter=Q(satisfaction=score), default=0) for score in range(1, 6)
        }
        rows = DailyRollup.objects.filter(in_month).values("branch_id").annotate(**scores, **sums).order_by()
        MonthRollup.objects.bulk_create(
            MonthRollup(month=month, number=number, **row) for number, row in enumerate(rows)
        )
        RollupDay.objects.filter(in_month).update(summed_at=F("counted_at"))
    logger.info("rollup.month", extra={"month": month.isoformat()})
    return True
