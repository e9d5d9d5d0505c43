"""The daily figures equal the submissions', whichever timer counts them and when."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from survey.jobs import rollup
from survey.models import ChainRollup, DailyRollup, RollupDay
from survey.staff import figures
from survey.staff.filters import Filters
from survey.staff.statements import run
from tests.support.chain import make_submission
from tests.support.eventually import eventually, lock_waits

NOON = datetime(2026, 3, 18, 12, tzinfo=timezone.get_default_timezone())
Clock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def days_are_complete_at_midnight() -> None:
    """Replace the fixture of this name: here the clock is set, and a day is complete when it is in production."""


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set Django's clock, to noon at first, so that no test depends on the hour it runs at."""

    def set_clock(now: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now)

    set_clock(NOON)
    return set_clock


def submit(client, **more):
    fields = {"name": "Tom", "phone": "1234567890", "satisfaction": 5, **more}
    response = client.post("/submitSurvey", fields, content_type="application/json")
    assert response.status_code == 201, response.content


def counted_submissions():
    return DailyRollup.objects.aggregate(n=Sum("submissions", default=0))["n"]


def every_day(days):
    today = timezone.localdate()
    return Filters(start=today - timedelta(days - 1), end=today, branch_ids=None)


def fill(chain):
    for number in range(60):
        make_submission(
            (chain.north, chain.south, None)[number % 3],
            1 + number % 5,
            days_ago=number % 7,
            recommend=number % 11,
            taste=1 + number % 5 if number % 2 else None,
            language=("zh-hans", "en")[number % 2],
        )


def test_figures_are_the_same_before_during_and_after_the_count(chain):
    fill(chain)
    before = run(figures.figures(every_day(5)))
    assert before.now.n > 0
    assert before.before.n > 0
    rollup.count_days(30)
    assert DailyRollup.objects.exists()
    assert run(figures.figures(every_day(5))) == before
    RollupDay.objects.filter(local_date=timezone.localdate() - timedelta(2)).delete()  # it is counted again some time
    assert run(figures.figures(every_day(5))) == before


def test_today_is_never_counted_so_that_it_is_exact(chain):
    fill(chain)
    rollup.count_days(30)
    assert not RollupDay.objects.filter(local_date=timezone.localdate()).exists()
    make_submission(chain.north, 5)
    assert run(figures.figures(every_day(7))).now.n == 61


def test_a_second_count_finds_nothing_to_do(chain):
    fill(chain)
    assert rollup.count_days(30) == 6
    assert rollup.count_days(30) == 0
    assert counted_submissions() == 60 - 9


def test_no_day_is_started_after_the_seconds_of_a_job(chain, monkeypatch):
    fill(chain)
    looks = count(step=10)  # seconds, of which each day takes ten
    monkeypatch.setattr(rollup, "time", SimpleNamespace(monotonic=looks.__next__))
    assert rollup.count_days(30) == 2
    assert rollup.count_days(0) == 0
    assert rollup.count_days(1_000) == 4


def test_two_timers_at_once_count_a_day_once(chain):
    fill(chain)
    day = timezone.localdate() - timedelta(1)
    assert rollup._count_day(day)
    rows = DailyRollup.objects.count()
    assert not rollup._count_day(day)
    assert DailyRollup.objects.count() == rows


def test_a_day_without_submissions_between_others_is_counted_too(chain):
    make_submission(chain.north, 5, days_ago=9)
    rollup.count_days(30)
    assert rollup.due_days() == []


def test_without_submissions_there_is_nothing_to_count(db):
    assert rollup.count_days(30) == 0


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_a_day_is_counted_when_it_is_over_and_once_more_a_day_later(chain, clock, hour):
    make_submission(chain.north, 5)
    day = timezone.localdate()
    for days, counted in ((0, 0), (1, 1), (2, 2), (3, 2)):  # the newest day, and again the one before
        clock(NOON.replace(hour=hour, minute=30) + timedelta(days))
        assert rollup.count_days(30) == counted, days
        assert rollup.count_days(30) == 0
    assert RollupDay.objects.get(local_date=day).is_final


def test_a_day_is_over_when_no_request_of_it_can_still_run(chain, clock):
    make_submission(chain.north, 5)
    midnight = NOON + timedelta(hours=12)
    clock(midnight + timedelta(minutes=15, seconds=-1))
    assert rollup.due_days() == []
    clock(midnight + timedelta(minutes=15))
    assert rollup.due_days() == [NOON.date()]


def test_a_submission_that_no_mark_tells_of_is_in_the_second_count(chain, clock):
    make_submission(chain.north, 5)
    clock(NOON + timedelta(1))
    rollup.count_days(30)
    make_submission(chain.north, 4, days_ago=1)  # stored while the day was counted, or by the release before
    clock(NOON + timedelta(2))
    rollup.count_days(30)
    assert counted_submissions() == 2


def test_a_submission_by_a_clock_that_is_behind_is_in_the_figures_at_once_and_counted_later(client, chain, clock):
    make_submission(chain.north, 5, days_ago=5)
    rollup.count_days(30)
    clock(NOON - timedelta(5))
    submit(client)
    clock(NOON)
    assert run(figures.figures(every_day(7))).now.n == 2
    assert run(figures.submissions_by_day(every_day(7))) == {timezone.localdate() - timedelta(5): 2}
    assert rollup.count_days(30) == 1
    assert counted_submissions() == 2
    assert run(figures.figures(every_day(7))).now.n == 2


def test_a_day_counted_by_a_clock_that_is_ahead_is_counted_again_when_it_is_over(client, chain, clock):
    make_submission(chain.north, 5)
    clock(NOON + timedelta(10))
    rollup.count_days(30)
    clock(NOON)
    submit(client)
    assert run(figures.figures(every_day(1))).now.n == 2
    assert rollup.count_days(30) == 0  # today is still counted live
    clock(NOON + timedelta(1))
    assert rollup.count_days(30) == 1
    assert counted_submissions() == 2


def test_a_request_that_runs_over_midnight_is_counted(client, chain, clock):
    make_submission(chain.north, 5)
    midnight = NOON.replace(hour=0) + timedelta(1)
    clock(midnight + timedelta(minutes=14))
    assert rollup.count_days(30) == 0  # such a request may still be running
    clock(midnight + timedelta(minutes=15))
    assert rollup.count_days(30) == 1
    clock(midnight - timedelta(seconds=1))
    submit(client)
    clock(midnight + timedelta(minutes=16))
    assert rollup.count_days(30) == 1
    assert counted_submissions() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite has one writer at a time")
@pytest.mark.parametrize("key", [None, "0b6f3a52-8c0e-4f8e-9a53-3f6f6f0f5f10"])
@pytest.mark.parametrize("earlier", [0, 1], ids=["first of its address", "later"])
def test_a_submission_waits_for_a_count_of_its_day_and_then_marks_it(key, earlier):
    for _earlier in range(earlier):
        submit(Client())

    def submit_in_thread():
        try:
            submit(Client(), **({"submission_id": key} if key else {}))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            RollupDay.objects.create(local_date=NOON.date())
            submission = threads.submit(submit_in_thread)
            eventually(lambda: lock_waits() == 1)
        submission.result()
    assert RollupDay.objects.get().is_late


def test_two_timers_at_once_count_a_marked_day_again_once(chain):
    make_submission(chain.north, 5, days_ago=3)
    day = timezone.localdate() - timedelta(3)
    rollup.count_days(30)
    RollupDay.mark_late(day)
    assert rollup._count_day(day)
    assert not rollup._count_day(day)


def test_the_chains_rows_of_a_day_that_the_release_before_counted_again_are_not_used(chain):
    make_submission(chain.north, 5, days_ago=2)
    rollup.count_days(30)
    ChainRollup.objects.update(submissions=7)
    assert run(figures.figures(every_day(5))).now.n == 7
    RollupDay.objects.update(counted_at=NOON + timedelta(hours=1))
    assert run(figures.figures(every_day(5))).now.n == 1
    assert run(figures.submissions_by_day(every_day(5))) == {timezone.localdate() - timedelta(2): 1}
