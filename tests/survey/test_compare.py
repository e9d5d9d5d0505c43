"""Branches beside each other: figures, marks, order, the hours of the week, and who may see them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone as django_timezone

from survey.jobs import rollup
from survey.models import Branch, Membership, RollupDay, Submission
from survey.scales import Problem
from survey.staff import comparison, figures, filters, statements
from tests.support.chain import Chain

SHANGHAI = timezone(timedelta(hours=8))


def submit(branch: Branch | None, count: int, score: int = 5, days_ago: int = 1, hour: int = 12, **fields: int) -> None:
    """Store equal submissions, received at an hour of a day in Shanghai."""
    day = django_timezone.localdate() - timedelta(days_ago)
    received = datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)
    Submission.objects.bulk_create(
        Submission(branch=branch, satisfaction=score, language="en", created_at=received, local_date=day, **fields)
        for _number in range(count)
    )


@pytest.fixture(params=[False, True], ids=["live", "counted"])
def count(request: pytest.FixtureRequest):
    return lambda: rollup.count_days(60) if request.param else None


@pytest.fixture
def page(client: Client, chain: Chain):
    def get(query: str = "", user: User = chain.head):
        client.force_login(user)
        return client.get(f"{reverse('dashboard:compare')}{query}", headers={"Accept-Language": "en"})

    return get


def rows(shown, name: str) -> dict[str, object]:
    [table] = [table for table in shown.context["tables"] if table["name"] == name]
    return {row.branch.code: row for row in table["rows"]}


def cell(row, key: str):
    [found] = [cell for cell in row.cells if cell.column.key == key]
    return found


def pair(shown, name: str) -> dict[str, object]:
    [table] = [table for table in shown.context["pair"] if table["name"] == name]
    return {row.column.key: row for row in table["rows"]}


def test_a_branch_is_compared_with_all_others_and_not_with_itself(chain: Chain, page, count) -> None:
    submit(chain.north, 40, 1, taste=1, problems=Problem.COLD)
    submit(chain.south, 50, 5, taste=5)
    submit(None, 10, 1, taste=3, problems=Problem.COLD | Problem.DIRTY)
    count()
    shown = page()
    north = rows(shown, "aspects")["north"]
    assert cell(north, "csat").estimate.value == 0
    assert cell(north, "csat").difference.value == -50 / 60
    taste = cell(north, "taste")
    assert (taste.estimate.value, taste.difference.value, taste.tone) == (1, 1 - 280 / 60, "worse")
    assert cell(north, "service").estimate is None
    assert cell(rows(shown, "aspects")["south"], "taste").tone == "better"
    cold = cell(rows(shown, "problems")["north"], "cold")
    assert (cold.estimate.value, cold.difference.value, cold.tone) == (1, 1 - 10 / 60, "worse")
    dirty = cell(rows(shown, "problems")["south"], "dirty")
    assert (dirty.estimate.value, dirty.difference.value, dirty.tone) == (0, -10 / 50, "better")
    text = shown.content.decode()
    assert "worse than the others" in text
    assert "better than the others" in text


def test_no_difference_is_shown_from_fewer_than_thirty_submissions(chain: Chain, page, count) -> None:
    submit(chain.north, 29, 1, taste=1, problems=Problem.COLD)
    submit(chain.south, 60, 5, taste=5)
    count()
    shown = page()
    for name in ("aspects", "problems"):
        for row in rows(shown, name).values():
            assert [found.difference for found in row.cells] == [None] * len(row.cells)
    assert 'class="number worse"' not in shown.content.decode()


def test_tables_are_sorted_by_links(chain: Chain, page) -> None:
    third = Branch.objects.create(code="west", name="西店", name_en="West")
    for branch, taste, problem in (
        (chain.north, 3, Problem.COLD),
        (chain.south, 1, Problem(0)),
        (third, 5, Problem(0)),
    ):
        submit(branch, 30, 1 if problem else 5, taste=taste, problems=problem)
    assert list(rows(page(), "aspects")) == ["north", "south", "west"]  # by CSAT, the worst first
    sorted_by_taste = page("?aspects=taste&days=7")
    assert list(rows(sorted_by_taste, "aspects")) == ["south", "north", "west"]
    assert list(rows(page("?aspects=-taste"), "aspects")) == ["west", "north", "south"]
    assert next(iter(rows(page("?problems=-cold"), "problems"))) == "north"
    assert list(rows(page("?aspects=-name"), "aspects")) == ["west", "south", "north"]
    assert list(rows(page("?aspects=nonsense"), "aspects")) == ["north", "south", "west"]
    text = sorted_by_taste.content.decode()
    assert 'aria-sort="ascending"><a href="?aspects=-taste&amp;days=7#aspects">Taste' in text
    assert 'href="?aspects=service&amp;days=7#aspects"' in text
    # A branch without a figure comes last, whichever way.
    submit(chain.south, 30, service=4)
    for order in ("service", "-service"):
        assert next(iter(rows(page(f"?aspects={order}"), "aspects"))) == "south"


def test_two_branches_side_by_side(chain: Chain, page, count) -> None:
    submit(chain.north, 30, 1, taste=1, service=4, problems=Problem.WAITING)
    submit(chain.south, 40, 5, taste=5, service=4)
    count()
    shown = page("?branch=north&branch=south")
    taste = pair(shown, "aspects")["taste"]
    assert (taste.cell.estimate.value, taste.other.value, taste.cell.difference.value) == (1, 5, -4)
    assert taste.cell.tone == "worse"
    assert pair(shown, "aspects")["service"].cell.tone == ""
    assert pair(shown, "problems")["waiting"].cell.estimate.value == 1
    assert next(iter(pair(shown, "problems"))) == "waiting"  # what is worst comes first
    assert [name for name, _map in shown.context["maps"]] == ["North", "South"]
    assert "North beside South" in shown.content.decode()
    reverse_order = page("?branch=south&branch=north")
    assert pair(reverse_order, "aspects")["taste"].cell.difference.value == 4


def test_one_branch_beside_all_others(chain: Chain, page, count) -> None:
    submit(chain.north, 30, 1, taste=1, problems=Problem.COLD)
    submit(chain.south, 30, 5, taste=5)
    submit(None, 30, 5, taste=3)
    count()
    shown = page("?branch=north")
    assert pair(shown, "aspects")["taste"].other.value == 4
    assert pair(shown, "problems")["cold"].other.value == 0
    assert "North beside all others" in shown.content.decode()
    assert len(shown.context["maps"]) == 1


def test_the_manager_of_one_branch_compares_it_with_the_period_before(chain: Chain, page, count) -> None:
    submit(chain.north, 30, 1, taste=1)
    submit(chain.north, 30, 5, days_ago=40, taste=5)
    submit(chain.south, 30, 5, taste=3)
    count()
    shown = page(user=chain.north_manager)
    assert pair(shown, "aspects")["taste"].other.value == 5
    assert "The period before" in shown.content.decode()
    assert "South" not in shown.content.decode()


def test_the_others_of_a_manager_are_the_other_branches_of_that_manager(chain: Chain, page, count) -> None:
    west = Branch.objects.create(code="west", name="西店")
    Membership.objects.create(user=chain.north_manager, branch=west)
    submit(chain.north, 30, 1, taste=1)
    submit(west, 30, 5, taste=4)
    submit(chain.south, 300, 5, taste=5)
    submit(None, 300, 5, taste=5)
    count()
    shown = page("?branch=north", chain.north_manager)
    assert pair(shown, "aspects")["taste"].other.value == 4
    assert list(rows(page(user=chain.north_manager), "aspects")) == ["north", "west"]
    for query in ("?branch=south", "?branch=north&branch=south", "?branch=-&branch=nowhere"):
        assert page(query, chain.north_manager).status_code == 404
    assert page("?branch=north&branch=south&branch=west").status_code == 404


def test_the_hours_of_the_week_are_shaded_by_their_distance_from_the_mean(chain: Chain, page, count) -> None:
    submit(chain.north, 40, 5, hour=12)
    submit(chain.north, 30, 1, hour=18)
    submit(chain.north, 9, 1, hour=20)
    count()
    [(_name, hours)] = page().context["maps"]
    assert [hour for hour, _days in hours] == list(range(12, 21))
    weekday = (django_timezone.localdate() - timedelta(1)).weekday()
    of_day = {hour: days[weekday] for hour, days in hours}
    noon, evening, few = of_day[12], of_day[18], of_day[20]
    assert (noon.shade, noon.is_higher, noon.is_lower) == (5, True, False)
    assert (evening.shade, evening.is_higher, evening.is_lower) == (1, False, True)
    assert (few.shade, few.tally.submissions) == (0, 9)
    assert of_day[13].tally.submissions == 0


def test_problems_are_counted_from_the_newest_low_scores_since_a_whole_day(
    chain: Chain, page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "NEWEST_LOW", 40)
    submit(chain.north, 30, 1, days_ago=1, problems=Problem.COLD)
    submit(chain.north, 30, 5, days_ago=1)
    submit(chain.north, 30, 1, days_ago=2, problems=Problem.DIRTY)
    shown = page()
    row = rows(shown, "problems")["north"]
    assert row.n == 60
    assert cell(row, "cold").estimate.value == 0.5
    assert cell(row, "dirty").estimate.value == 0
    yesterday = django_timezone.localdate() - timedelta(1)
    assert f"Problems are counted since {yesterday}" in shown.content.decode()


def test_of_many_branches_the_highest_and_the_lowest_are_listed(
    chain: Chain, page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "LISTED", 1)
    for number in range(5):
        branch = Branch.objects.create(code=f"b{number}", name=f"{number}店")
        submit(branch, 30 + 10 * number, 5, taste=5)
        submit(branch, 30, 1, taste=1)
    shown = page()
    assert set(rows(shown, "aspects")) == {"b0", "b4"}
    assert shown.context["unlisted"] == 3
    others = cell(rows(shown, "aspects")["b0"], "csat")
    assert others.difference.value == pytest.approx(0.5 - 220 / 340)
    rollup.count_days(60)
    assert rows(page(), "aspects").keys() == {"b0", "b4"}
    assert cell(rows(page(), "aspects")["b0"], "csat").difference == others.difference


def test_the_figures_of_very_many_branches_are_those_of_few(
    chain: Chain, page, count, monkeypatch: pytest.MonkeyPatch
) -> None:
    Membership.objects.create(user=chain.north_manager, branch=chain.south)
    submit(chain.north, 30, 1, taste=1, problems=Problem.COLD)
    submit(chain.south, 40, 5, taste=4)
    submit(None, 40, 5, taste=4)
    count()
    few = page(user=chain.north_manager)
    assert len(few.context["maps"]) == 1
    monkeypatch.setattr(filters, "MANY_BRANCHES", 1)
    monkeypatch.setattr(statements, "LONGEST_LIST", 1)
    many = page(user=chain.north_manager)
    for name in ("aspects", "problems"):
        assert rows(many, name) == rows(few, name)
    assert many.context["maps"] == []  # of a chosen branch alone
    assert len(page("?branch=north", chain.north_manager).context["maps"]) == 1


def test_the_number_of_statements_is_fixed(chain: Chain, page) -> None:
    def cost(query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            page(query)
        return len([query for query in queries if "survey_" in query["sql"]])

    submit(chain.north, 3, 1, problems=Problem.COLD)
    submit(chain.south, 3, 5, days_ago=9)
    rollup.count_days(60)
    submit(chain.north, 3, 1, days_ago=0)
    queries = ("", "?branch=north", "?branch=north&branch=south")
    page()  # reads what the process keeps
    few = [cost(query) for query in queries]
    for number in range(20):
        branch = Branch.objects.create(code=f"b{number}", name="店")
        for days_ago in (0, 1, 2, 9):
            submit(branch, 2, 1 + number % 5, days_ago=days_ago, problems=Problem.DIRTY)
    RollupDay.objects.all().delete()
    rollup.count_days(60)
    assert [cost(query) for query in queries] == few
    assert max(few) <= 32


def test_a_chain_without_submissions_says_so(page) -> None:
    shown = re.sub(r"<[^>]+>", " ", page().content.decode())
    assert "No answers here yet" in shown
