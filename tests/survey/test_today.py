"""Today: yesterday and today against the usual day, open cases, and the branches that changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone as django_timezone

from survey.jobs import rollup
from survey.models import Branch, Submission
from survey.staff import metrics, today
from tests.support.chain import Chain, make_submission

SHANGHAI = timezone(timedelta(hours=8))
NOW = datetime(2026, 3, 18, 12, 30, tzinfo=SHANGHAI)  # a Wednesday
TODAY = NOW.date()
DAY = timedelta(1)


def submit(branch: Branch | None, days_ago: int, scores: Iterable[int], hour: int = 11) -> None:
    """Store a submission with each of the scores, received at an hour of the day so many days ago."""
    day = TODAY - days_ago * DAY
    received = datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)
    Submission.objects.bulk_create(
        Submission(branch=branch, satisfaction=score, language="en", created_at=received, local_date=day)
        for score in scores
    )


def summary(branches: Iterable[Branch], *, head: bool = True) -> today.Summary:
    branches = list(branches)
    return today.summary(today.everything(branches, head), branches, NOW)


@pytest.fixture(params=[False, True], ids=["live", "counted"])
def count(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Count the days, or leave them to be read from the submissions; the clock stands at NOW."""
    monkeypatch.setattr(django_timezone, "now", lambda: NOW)
    return lambda: rollup.count_days(60) if request.param else None


def test_the_usual_day_is_the_same_weekday_of_the_eight_weeks_before(chain: Chain, count) -> None:
    for week in range(1, 9):
        submit(chain.north, 1 + 7 * week, [5, 5, 1] * week)
        submit(chain.north, 2 + 7 * week, [1])  # another weekday
    submit(chain.north, 1 + 7 * 9, [1] * 50)  # too long ago
    submit(chain.north, 1, [5] * 30)
    count()
    yesterday = summary([chain.north]).yesterday
    assert yesterday.day == date(2026, 3, 17)
    assert (yesterday.tally.submissions, yesterday.csat.value) == (30, 1)
    usual = yesterday.usual
    assert (usual.weeks, usual.middle, usual.least, usual.most) == (8, 14, 3, 24)
    assert (usual.csat.n, usual.csat.value) == (108, 2 / 3)
    assert yesterday.is_more
    assert not yesterday.is_fewer
    assert yesterday.change.is_clear


def test_today_is_compared_up_to_this_time_of_day(chain: Chain, count) -> None:
    for week in range(1, 5):
        submit(chain.north, 7 * week, [5] * 4, hour=11)
        submit(chain.north, 7 * week, [5] * 6, hour=12)  # of which half count: it is half past
        submit(chain.north, 7 * week, [5] * 90, hour=18)
    submit(chain.north, 0, [5, 5])
    count()
    found = summary([chain.north]).today
    assert found.usual == today.Usual(4, 7, 7, 7, metrics.share(400, 400))
    assert found.is_fewer
    assert found.change is None  # two submissions are too few


def test_three_weeks_are_no_usual_day(chain: Chain, count) -> None:
    for week in range(1, 4):
        submit(chain.north, 1 + 7 * week, [5] * 40)
    submit(chain.north, 1, [5] * 40)
    count()
    yesterday = summary([chain.north]).yesterday
    assert yesterday.usual is None
    assert yesterday.change is None
    assert not (yesterday.is_more or yesterday.is_fewer)


def test_a_branch_is_compared_over_seven_days_or_else_over_four_weeks(chain: Chain, count) -> None:
    for days_ago in range(1, 36):
        submit(chain.north, days_ago, [1] * 5 if days_ago <= 7 else [5] * 5)
    for days_ago in range(1, 57):
        submit(chain.south, days_ago, [5, 5] if days_ago <= 28 else [1, 1])
    submit(chain.north, 0, [5] * 100)  # today is not over
    count()
    found = summary([chain.north, chain.south])
    assert found.compared == 2
    [worse], [better] = found.worse, found.better
    assert (worse.branch, worse.days, worse.csat.n, worse.change.value) == (chain.north, 7, 35, -1)
    assert (better.branch, better.days, better.csat.n, better.change.value) == (chain.south, 28, 56, 1)


def test_a_change_from_fewer_than_thirty_submissions_is_hidden(chain: Chain, count) -> None:
    submit(chain.north, 1, [1] * 29)
    submit(chain.north, 20, [5] * 100)
    submit(chain.south, 1, [1] * 30)
    submit(chain.south, 20, [5] * 30)
    count()
    found = summary([chain.north, chain.south])
    assert found.compared == 1
    assert [changed.branch for changed in found.worse] == [chain.south]
    assert found.better == []


def test_of_many_branches_chance_alone_changes_none(chain: Chain, count) -> None:
    """65 % after 85 % of 60 submissions each is clear for one branch alone, but not for the most extreme of forty."""
    before, after = [5] * 51 + [1] * 9, [5] * 39 + [1] * 21
    submit(chain.north, 10, before)
    submit(chain.north, 1, after)
    others = Branch.objects.bulk_create(Branch(code=f"b{number}", name="店") for number in range(40))
    for branch in others:
        submit(branch, 10, before)
        submit(branch, 1, before)
    count()
    assert [changed.branch for changed in summary([chain.north]).worse] == [chain.north]
    assert summary([chain.north, *others]).worse == []


@pytest.fixture
def page(client: Client, chain: Chain):
    def get(user: User, language: str = "en"):
        client.force_login(user)
        return client.get(reverse("dashboard:today"), headers={"Accept-Language": language})

    return get


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_it_is_the_first_page_after_login(client: Client, chain: Chain) -> None:
    chain.head.set_password("a long phrase")
    chain.head.save()
    sent = client.post(reverse("dashboard:login"), {"username": "head@example.com", "password": "a long phrase"})
    assert sent["Location"] == "/dashboard/today/"


def test_a_manager_sees_the_day_of_one_branch(chain: Chain, page) -> None:
    make_submission(chain.north, 1, days_ago=1, comment="北边的评论")
    oldest = make_submission(chain.south, 1, days_ago=9, comment="南边的秘密")
    make_submission(None, 1, days_ago=12, comment="没有门店的秘密")
    shown = page(chain.north_manager)
    assert shown.context["summary"].yesterday.tally.submissions == 1
    assert "秘密" not in shown.content.decode()
    assert "北边的评论" in shown.content.decode()
    assert shown.context["open_count"] == 1
    assert "The oldest waits for 1 day" in text_of(shown)
    assert page(chain.south_manager).context["summary"].oldest == oldest
    everything = page(chain.head)
    assert "The oldest waits for 12 days" in text_of(everything)
    assert len(everything.context["comments"]) == 3


def test_the_newest_comments_come_first_and_are_short(chain: Chain, page) -> None:
    for days_ago in range(7):
        make_submission(chain.north, 5, days_ago=days_ago, comment=f"{days_ago} " + "很好吃" * 100)
    make_submission(chain.north, 5, comment="")
    shown = page(chain.head)
    assert [comment.comment[0] for comment in shown.context["comments"]] == ["0", "1", "2", "3", "4"]
    assert "很好吃" * 50 not in shown.content.decode()


def test_a_day_with_submissions_leads_to_its_comments(client: Client, chain: Chain, page) -> None:
    for days_ago, comment in ((0, "of today"), (1, "of yesterday"), (2, "of the day before")):
        make_submission(chain.north, 5, days_ago=days_ago, comment=comment)
    links = re.findall(r'href="([^"]+)">Comments of this day', page(chain.head).content.decode())
    shown = [client.get(link.replace("&amp;", "&")).context["submissions"] for link in links]
    assert [[found.comment for found in submissions] for submissions in shown] == [["of yesterday"], ["of today"]]


def test_a_quiet_chain_says_so(chain: Chain, page) -> None:
    shown = text_of(page(chain.head))
    for sentence in (
        "No answers yet",
        "all caught up",
        "too few answers to compare yet",
        "None in the last four weeks",
    ):
        assert sentence in shown
    assert "No usual" in shown


def test_the_number_of_statements_is_fixed(chain: Chain, page) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(chain.head)
        return len([query for query in queries if "survey_" in query["sql"]])

    make_submission(chain.north, 1, comment="排队")
    make_submission(chain.north, 1, days_ago=1)
    rollup.count_days(30)
    few = cost()
    for number in range(20):
        branch = Branch.objects.create(code=f"b{number}", name="店")
        for days_ago in (0, 1, 2, 9):
            make_submission(branch, 1 + number % 5, days_ago=days_ago, comment="排队太久")
    rollup.count_days(30)
    assert cost() == few
    # Branches, the badges of every page (3), counted days, hours of days and branches from two tables each, the oldest
    # and the comments, each with the branches.
    assert few <= 13
