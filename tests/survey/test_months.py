"""The figures of a month are the sums of its days, or are not used."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from survey.jobs import months, rollup
from survey.models import DailyRollup, MonthRollup, RollupDay
from tests.support.chain import Chain, make_submission

NOON = datetime(2026, 3, 18, 12, tzinfo=timezone.get_default_timezone())
MARCH, FEBRUARY, JANUARY = date(2026, 3, 1), date(2026, 2, 1), date(2026, 1, 1)
YESTERDAY = date(2026, 3, 17)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)


@pytest.fixture
def counted(chain: Chain) -> Chain:
    """A chain with submissions from 28 December on, all of whose days are counted."""
    for days_ago in range(81):
        branch = (chain.north, chain.south, None)[days_ago % 3]
        fields = {"taste": 1 + days_ago % 5, "recommend": days_ago % 11, "language": ("zh-hans", "en")[days_ago % 2]}
        make_submission(branch, 1 + days_ago % 5, days_ago=days_ago, **fields)
    rollup.count_days(600)
    return chain


def test_months_are_added_up_the_newest_first_and_once(counted: Chain) -> None:
    assert months.due_months() == [MARCH, FEBRUARY, JANUARY]  # not the end of December
    assert months.add_up_months(600) == 3
    assert months.due_months() == []
    assert months.add_up_months(600) == 0


def test_a_month_has_the_sums_of_its_days_by_branch(counted: Chain) -> None:
    months.add_up_months(600)
    days = list(DailyRollup.objects.filter(local_date__gte=FEBRUARY, local_date__lt=date(2026, 3, 1)))
    for branch in (counted.north.pk, counted.south.pk, None):
        row = MonthRollup.objects.get(month=FEBRUARY, branch=branch)
        of_branch = [day for day in days if day.branch_id == branch]
        for name in ("submissions", "promoters", "taste_count", "taste_sum", "taste_squares"):
            assert getattr(row, name) == sum(getattr(day, name) for day in of_branch) > 0
        for score in range(1, 6):
            n = sum(day.submissions for day in of_branch if day.satisfaction == score)
            assert getattr(row, f"score_{score}") == n
    assert sum(row.submissions for row in MonthRollup.objects.filter(month=FEBRUARY)) == 28


def next_day(monkeypatch: pytest.MonkeyPatch, days: int = 1) -> None:
    """Count all days of so many days later."""
    later = timezone.now() + timedelta(days)
    monkeypatch.setattr(timezone, "now", lambda: later)
    rollup.count_days(600)


def test_a_month_that_goes_on_is_added_up_until_its_last_counted_day(
    counted: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    months.add_up_months(600)
    assert sum(row.submissions for row in MonthRollup.objects.filter(month=YESTERDAY)) == 17
    next_day(monkeypatch)
    assert months.due_months() == [MARCH]
    assert months.add_up_months(600) == 1
    assert sum(row.submissions for row in MonthRollup.objects.filter(month=YESTERDAY + timedelta(1))) == 18
    # For a page that read before how far the month was added up.
    assert sum(row.submissions for row in MonthRollup.objects.filter(month=YESTERDAY)) == 17


def test_at_its_end_a_month_is_whole_and_its_parts_go(counted: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    months.add_up_months(600)
    next_day(monkeypatch, 14)
    months.add_up_months(600)
    assert sum(row.submissions for row in MonthRollup.objects.filter(month=MARCH)) == 18
    assert not MonthRollup.objects.exclude(month__day=1).exists()


def test_a_month_whose_last_day_was_deleted_to_be_counted_again_is_due_until_the_day_before(counted: Chain) -> None:
    months.add_up_months(600)
    RollupDay.objects.filter(local_date=YESTERDAY).delete()
    assert months.due_months() == [MARCH]
    months.add_up_months(600)
    assert sum(row.submissions for row in MonthRollup.objects.filter(month=YESTERDAY - timedelta(1))) == 16


def test_no_month_is_started_after_the_seconds_of_a_job(counted: Chain) -> None:
    assert months.add_up_months(0) == 0
    assert months.add_up_months(-1) == 0
    assert not MonthRollup.objects.exists()


def test_a_month_is_due_again_when_a_day_is_counted_again(counted: Chain) -> None:
    months.add_up_months(600)
    late = make_submission(counted.north, 5, days_ago=30)
    RollupDay.mark_late(late.local_date)
    assert months.due_months() == []  # the day comes first
    rollup.count_days(600)
    assert months.due_months() == [FEBRUARY]
    assert months.add_up_months(600) == 1
    assert sum(row.submissions for row in MonthRollup.objects.filter(month=FEBRUARY)) == 29


def test_a_month_is_due_again_when_the_release_before_counted_a_day_again(counted: Chain) -> None:
    months.add_up_months(600)
    RollupDay.objects.filter(local_date=FEBRUARY).update(counted_at=NOON - timedelta(minutes=1))  # all that it sets
    assert months.due_months() == [FEBRUARY]


def test_a_month_is_due_again_when_a_day_was_deleted_to_be_counted_again(counted: Chain) -> None:
    months.add_up_months(600)
    RollupDay.objects.filter(local_date=FEBRUARY).delete()
    assert months.due_months() == []
    rollup.count_days(600)
    assert months.due_months() == [FEBRUARY]


def test_two_timers_at_once_add_up_a_month_once(counted: Chain) -> None:
    assert months._add_up(FEBRUARY)
    assert not months._add_up(FEBRUARY)
    RollupDay.objects.filter(local_date=FEBRUARY).update(summed_at=None, is_late=True)
    assert not months._add_up(FEBRUARY)
    RollupDay.objects.filter(local_date=FEBRUARY).delete()
    assert not months._add_up(FEBRUARY)


def test_a_sum_that_fails_changes_nothing(counted: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    months.add_up_months(600)
    RollupDay.objects.update(counted_at=NOON + timedelta(1))

    def fail(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(MonthRollup.objects, "bulk_create", fail)
    with pytest.raises(RuntimeError):
        months.add_up_months(600)
    assert MonthRollup.objects.filter(month=FEBRUARY).exists()
    assert not RollupDay.objects.filter(summed_at=F("counted_at")).exists()
