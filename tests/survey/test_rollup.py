"""The daily figures equal the submissions', whichever timer counts them and when."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone

from survey.jobs import rollup
from survey.models import DailyRollup, RollupDay
from survey.staff import figures
from survey.staff.filters import Filters
from tests.support.chain import make_submission


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
    before = figures.figures(every_day(5))
    assert before.now.n > 0
    assert before.before.n > 0
    rollup.count_days(30)
    assert DailyRollup.objects.exists()
    assert figures.figures(every_day(5)) == before
    RollupDay.objects.filter(local_date=timezone.localdate() - timedelta(2)).delete()  # it is counted again some time
    assert figures.figures(every_day(5)) == before


def test_today_is_never_counted_so_that_it_is_exact(chain):
    fill(chain)
    rollup.count_days(30)
    assert not RollupDay.objects.filter(local_date=timezone.localdate()).exists()
    make_submission(chain.north, 5)
    assert figures.figures(every_day(7)).now.n == 61


def test_a_second_count_finds_nothing_to_do(chain):
    fill(chain)
    assert rollup.count_days(30) == 6
    assert rollup.count_days(30) == 0
    assert DailyRollup.objects.aggregate(n=Sum("submissions"))["n"] == 60 - 9


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
    assert rollup.uncounted_days() == []


def test_without_submissions_there_is_nothing_to_count(db):
    assert rollup.count_days(30) == 0
