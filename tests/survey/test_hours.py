"""Submissions by hour are the same from the hourly rollup and from the submissions, in the time of the restaurants."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from survey.jobs import rollup
from survey.models import Branch, HourRollup, RollupDay, Submission
from survey.staff import hours, sums
from survey.staff.filters import Filters
from survey.staff.hours import Tally
from tests.support.chain import Chain

SHANGHAI = timezone(timedelta(hours=8))
MONDAY = date(2026, 3, 2)


def submit(branch: Branch | None, day: date, hour: int, score: int = 5, count: int = 1) -> None:
    """Store submissions received at half past an hour of a day in Shanghai."""
    received = datetime(day.year, day.month, day.day, hour, 30, tzinfo=SHANGHAI)
    Submission.objects.bulk_create(
        Submission(branch=branch, satisfaction=score, language="en", created_at=received, local_date=day)
        for _number in range(count)
    )


def period(first: date, days: int, branch_ids: tuple[int, ...] | None = None, **fields: bool) -> Filters:
    return Filters(start=first, end=first + timedelta(days - 1), branch_ids=branch_ids, **fields)


@pytest.fixture
def week(chain: Chain) -> Chain:
    submit(chain.north, MONDAY, 0)
    submit(chain.north, MONDAY, 12, count=2)
    submit(chain.south, MONDAY, 12, score=1)
    submit(None, MONDAY + timedelta(1), 23, score=3)
    submit(chain.south, MONDAY + timedelta(7), 12)
    return chain


@pytest.fixture(params=[False, True], ids=["live", "counted"])
def counted(request: pytest.FixtureRequest, week: Chain) -> bool:
    if request.param:
        assert rollup.count_days(60)
        assert HourRollup.objects.exists()
    return bool(request.param)


@pytest.mark.usefixtures("counted")
def test_a_week_day_has_the_submissions_of_its_hours(week: Chain) -> None:
    assert hours.by_weekday(period(MONDAY, 8)) == {
        (0, 0): Tally(1, 1),
        (0, 12): Tally(4, 3),
        (1, 23): Tally(1, 0),
    }
    assert hours.by_weekday(period(MONDAY, 7, (week.south.pk,))) == {(0, 12): Tally(1, 0)}
    both = (week.north.pk, week.south.pk)
    assert hours.by_weekday(period(MONDAY, 7, both)) == {(0, 0): Tally(1, 1), (0, 12): Tally(3, 2)}
    assert hours.by_weekday(period(MONDAY, 7, without_branch=True)) == {(1, 23): Tally(1, 0)}


def test_days_by_the_hour(week: Chain, counted: bool) -> None:
    days = {MONDAY, MONDAY + timedelta(7)}
    complete = hours.counted_among(days)
    assert complete == (days if counted else set())
    found = hours.by_hour(period(MONDAY, 1), days, complete)
    assert set(found) == days
    assert [hour for hour, tally in enumerate(found[MONDAY]) if tally.submissions] == [0, 12]
    assert found[MONDAY][12] == Tally(3, 2)
    assert hours.total(found[MONDAY + timedelta(7)]) == Tally(1, 1)


def test_branches_in_parts_of_a_period(week: Chain, counted: bool) -> None:
    parts = [(MONDAY - timedelta(7), MONDAY), (MONDAY + timedelta(1), MONDAY + timedelta(7))]
    complete = hours.counted_among(sums.days_between(parts[0][0], parts[1][1]))
    found = hours.by_branch([week.north.pk, week.south.pk], parts, complete)
    assert found == {week.north.pk: [Tally(3, 3), Tally()], week.south.pk: [Tally(1, 0), Tally(1, 1)]}


def test_a_day_that_the_release_before_counted_is_read_live_and_counted_again(week: Chain) -> None:
    """It deletes no hours and knows no `hours_counted_at`."""
    rollup.count_days(60)
    submit(week.north, MONDAY, 12)
    RollupDay.objects.filter(pk=MONDAY).update(counted_at=datetime(2026, 3, 5, tzinfo=SHANGHAI))
    assert hours.by_weekday(period(MONDAY, 1))[0, 12] == Tally(4, 3)
    assert rollup.due_days() == [MONDAY]
    rollup.count_days(60)
    assert hours.counted_among({MONDAY}) == {MONDAY}
    assert hours.by_weekday(period(MONDAY, 1))[0, 12] == Tally(4, 3)


def test_a_late_submission_is_counted_live(week: Chain) -> None:
    rollup.count_days(60)
    submit(week.north, MONDAY, 12)
    RollupDay.mark_late(MONDAY)
    assert hours.by_weekday(period(MONDAY, 1))[0, 12] == Tally(4, 3)
