"""The time to close: the median hours from the submission to the solution, in the selection and in each branch."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.models import Branch
from survey.staff import closing
from survey.staff.closing import ClosingTime, closing_times
from survey.staff.filters import FIRST_DAY, LAST_DAY, Filters
from tests.support.chain import Chain, make_submission

pytestmark = pytest.mark.django_db

ALL = Filters(start=FIRST_DAY, end=LAST_DAY, branch_ids=None)


def solve(branch: Branch | None, hours: float, ago: float = 1, **fields: Any) -> None:
    """Store a case that was solved `ago` hours ago, `hours` after it came."""
    submission = make_submission(branch, 1, follow_up_status="solved", **fields)
    submission.follow_up_closed_at = timezone.now() - timedelta(hours=ago)
    submission.created_at = submission.follow_up_closed_at - timedelta(hours=hours)
    submission.save()


@pytest.mark.parametrize("hours", [[3], [3, 9], [9, 1, 3], [1, 2, 3, 4], [5, 5, 5, 1, 40]])
def test_the_median_of_the_chain_and_of_each_branch(chain: Chain, hours: list[int]) -> None:
    for number in hours:
        solve(chain.north, number)
    solve(chain.south, 100)
    solve(None, 200)
    times = closing_times(ALL)
    assert times.total is not None
    assert times.total.cases == len(hours) + 2
    assert times.total.median_hours == pytest.approx(median([*hours, 100, 200]))
    north = times.by_branch[chain.north.pk]
    assert (north.cases, north.median_hours) == (len(hours), pytest.approx(median(hours)))
    assert times.by_branch[None].median_hours == pytest.approx(200)


def test_the_median_of_many_cases_in_no_order(chain: Chain) -> None:
    chance = random.Random(1)
    branches = [chain.north, chain.south, None]
    solved: dict[Branch | None, list[int]] = {branch: [] for branch in branches}
    for _number in range(40):
        branch, hours = chance.choice(branches), chance.randrange(1, 300)
        solved[branch].append(hours)
        solve(branch, hours, ago=chance.randrange(200))
    times = closing_times(ALL)
    assert times.total is not None
    assert times.total.median_hours == pytest.approx(median(hours for of_one in solved.values() for hours in of_one))
    for branch, hours_of_one in solved.items():
        assert times.by_branch[branch.pk if branch else None].median_hours == pytest.approx(median(hours_of_one))


def test_one_statement_counts_all(chain: Chain, django_assert_num_queries: Any) -> None:
    solve(chain.north, 1)
    with django_assert_num_queries(1):
        closing_times(ALL)


def test_of_very_many_cases_the_newest_count(client: Client, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "NEWEST", 3)
    for hours in (2, 4):
        solve(chain.north, hours)
    assert not closing_times(ALL).is_of_newest
    solve(chain.north, 6)
    solve(chain.south, 100, ago=50)
    times = closing_times(ALL)
    assert times.is_of_newest
    assert times.total == ClosingTime(3, pytest.approx(4))
    assert set(times.by_branch) == {chain.north.pk}
    client.force_login(chain.head)
    page = client.get(reverse("dashboard:follow_up"), headers={"Accept-Language": "en"})
    assert "The newest 3 solved: half of them within 4.0 hours" in page.content.decode()


def test_a_case_counts_in_the_period_in_which_it_was_solved(chain: Chain) -> None:
    solve(chain.north, 24 * 40, ago=24 * 10)
    solve(chain.north, 7, ago=24 * 30)
    today = timezone.localdate()
    period = replace(ALL, start=today - timedelta(12), end=today - timedelta(8))
    total = closing_times(period).total
    assert total is not None
    assert (total.cases, total.median_hours) == (1, pytest.approx(24 * 40))


def test_any_time_is_of_the_last_90_days(chain: Chain) -> None:
    solve(chain.north, 7, ago=24 * 91)
    assert (closing_times(ALL).days, closing_times(ALL).total) == (90, None)


def test_cases_without_a_time_or_opened_again_do_not_count(chain: Chain) -> None:
    make_submission(chain.north, 1, follow_up_status="solved")  # by the release before
    solve(chain.north, 7)
    chain.north.submission_set.exclude(follow_up_closed_at=None).update(follow_up_status="open")  # by it too
    assert closing_times(ALL).total is None


def test_the_filters_count_but_not_the_tab_of_the_list(chain: Chain) -> None:
    solve(chain.north, 1, problems=4)
    solve(chain.north, 3)
    solve(chain.south, 5)
    of_north = replace(ALL, branch_ids=(chain.north.pk,), status="open", owner_id=chain.head.pk)
    assert set(closing_times(of_north).by_branch) == {chain.north.pk}
    cold = closing_times(replace(of_north, problem=4)).total
    assert cold is not None
    assert (cold.cases, cold.median_hours) == (1, pytest.approx(1))


def test_the_list_shows_the_median_and_the_slowest_branch_first(client: Client, chain: Chain) -> None:
    solve(chain.north, 2)
    solve(chain.south, 30)
    client.force_login(chain.head)
    page = client.get(reverse("dashboard:follow_up"), headers={"Accept-Language": "en"})
    assert "Solved in 90 days: 2, half of them within 16.0 hours" in page.content.decode()
    assert [name for name, _time in page.context["closing_rows"]] == ["South", "North"]
    client.force_login(chain.north_manager)
    page = client.get(reverse("dashboard:follow_up"), headers={"Accept-Language": "en"})
    assert "Solved in 90 days: 1, in 2.0 hours" in page.content.decode()
    assert "South" not in page.content.decode()
