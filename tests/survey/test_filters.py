"""The filters above the pages for staff: one period at a time, an error for a wrong one, kept from page to page."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db.models import F
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from survey.jobs import rollup
from survey.models import Submission
from survey.staff.filters import FIRST_DAY, LAST_DAY, MAX_DAYS, PERIODS, FilterForm, period, period_before
from tests.support.chain import make_submission


def url(name):
    return reverse(f"dashboard:{name}")


@pytest.fixture
def form(chain):
    """Return a function that makes head office's form of a query string."""

    def make(query="", **options):
        return FilterForm(QueryDict(query), chain.head, **options)

    return make


def test_two_dates_alone_are_the_period(form):
    filters = form("start=2026-01-02&end=2026-01-05").filters()
    assert (filters.start, filters.end) == (date(2026, 1, 2), date(2026, 1, 5))


def test_a_chosen_number_of_days_removes_the_dates(form):
    chosen = form("days=7&start=2026-01-02&end=2026-01-05")
    filters = chosen.filters()
    assert (filters.days, filters.end) == (7, timezone.localdate())
    assert chosen["start"].value() == filters.start.isoformat()
    assert filters.query_string() == "days=7"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", "2026-02-18", "2026-02-18"),
        ("yesterday", "2026-02-17", "2026-02-17"),
        ("week", "2026-02-16", "2026-02-18"),
        ("last-week", "2026-02-09", "2026-02-15"),
        ("month", "2026-02-01", "2026-02-18"),
        ("last-month", "2026-01-01", "2026-01-31"),
        ("quarter", "2026-01-01", "2026-02-18"),
        ("last-quarter", "2025-10-01", "2025-12-31"),
        ("7", "2026-02-12", "2026-02-18"),
    ],
)
def test_a_period_has_the_days_of_its_name(name, first, last):
    days = period(name, date(2026, 2, 18))
    assert [day.isoformat() for day in days] == [first, last]


def test_every_period_can_be_chosen(form):
    for name in PERIODS:
        assert form(f"days={name}").filters().start == period(name, timezone.localdate())[0]


def test_one_submit_takes_a_new_period_or_new_dates_whichever_was_changed(form):
    first = form("")
    start, end = first["start"].value(), first["end"].value()
    unchanged = f"start={start}&end={end}&shown={first.shown}"
    assert form(f"days=30&{unchanged}").filters().query_string() == ""
    assert form(f"days=last-week&{unchanged}").filters().query_string() == "days=last-week"
    dates = form(f"days=30&start=2026-01-02&end=2026-01-05&shown={first.shown}")
    assert dates["days"].value() == "dates"
    assert dates.filters().query_string() == "days=dates&start=2026-01-02&end=2026-01-05"
    again = f"start=2026-01-02&end=2026-01-05&shown={dates.shown}"
    assert form(f"days=dates&{again}").filters().start == date(2026, 1, 2)
    assert form(f"days=today&{again}").filters().days == 1


def test_from_to_shows_the_dates_filled_with_the_default_period(form):
    chosen = form("days=dates")
    assert chosen["start"].value() == (timezone.localdate() - timedelta(29)).isoformat()
    assert chosen.filters().days == 30
    assert form("")["start"].value() == (timezone.localdate() - timedelta(29)).isoformat()


def test_one_date_alone_is_enough(form):
    start = timezone.localdate() - timedelta(99)
    assert form(f"start={start}").filters().days == 100
    filters = form("end=2026-03-31").filters()
    assert (filters.start, filters.end) == (date(2026, 3, 2), date(2026, 3, 31))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("start=2050-01-02&end=2050-01-01", "The period ends before it starts."),
        ("start=2010-01-01&end=2020-01-01", f"Choose a period of at most {MAX_DAYS} days."),
    ],
)
def test_an_invalid_period_shows_an_error_and_the_default_period(client, chain, query, message):
    client.force_login(chain.head)
    response = client.get(f"{url('overview')}?{query}&branch=north", headers={"Accept-Language": "en"})
    assert message in response.content.decode()
    filters = response.context["filters"]
    assert (filters.days, filters.end) == (30, timezone.localdate())
    assert filters.query_string() == "branch=north"


@pytest.mark.parametrize(("first", "last", "days"), [(0, 40, 1), (-4, 40, 5), (-4, -1, 4), (1, 40, 0)])
def test_the_period_before_has_as_many_days_as_have_begun(form, first, last, days):
    today = timezone.localdate()
    filters = form(f"start={today + timedelta(first)}&end={today + timedelta(last)}").filters()
    assert filters.before.days == days
    assert filters.before.end == filters.start - timedelta(1)


@pytest.mark.parametrize(
    ("name", "today", "now", "before"),
    [
        ("today", "2026-03-18", "2026-03-18 2026-03-18", "2026-03-11 2026-03-11"),
        ("yesterday", "2026-03-18", "2026-03-17 2026-03-17", "2026-03-10 2026-03-10"),
        ("week", "2026-03-18", "2026-03-16 2026-03-18", "2026-03-09 2026-03-11"),
        ("last-week", "2026-03-18", "2026-03-09 2026-03-15", "2026-03-02 2026-03-08"),
        ("month", "2026-03-18", "2026-03-01 2026-03-18", "2026-02-01 2026-02-18"),
        ("month", "2026-03-31", "2026-03-01 2026-03-31", "2026-02-01 2026-02-28"),
        ("month", "2026-01-05", "2026-01-01 2026-01-05", "2025-12-01 2025-12-05"),
        ("last-month", "2026-03-18", "2026-02-01 2026-02-28", "2026-01-01 2026-01-31"),
        ("quarter", "2026-05-31", "2026-04-01 2026-05-31", "2026-01-01 2026-02-28"),
        ("last-quarter", "2026-05-31", "2026-01-01 2026-03-31", "2025-10-01 2025-12-31"),
        ("7", "2026-03-18", "2026-03-12 2026-03-18", "2026-03-05 2026-03-11"),
    ],
)
def test_a_period_of_the_calendar_is_compared_with_the_same_days_of_the_one_before(name, today, now, before):
    start, end = period(name, date.fromisoformat(today))
    assert f"{start} {end}" == now
    assert "{} {}".format(*period_before(name, start, end)) == before


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("days=week", "the same days of last week"),
        ("days=month", "the same days of last month"),
        ("days=30", "as many days just before"),
        ("start=2026-01-01&end=2026-01-02", "2025-12-30 to 2025-12-31, as many days just before"),
    ],
)
def test_the_page_says_what_it_compares_with(client, chain, query, words):
    submission = make_submission(chain.north)
    Submission.objects.filter(pk=submission.pk).update(local_date="2026-01-01" if "start" in query else F("local_date"))
    client.force_login(chain.head)
    response = client.get(f"{url('overview')}?{query}", headers={"Accept-Language": "en"})
    assert words in response.content.decode()


def test_the_days_between_a_period_and_the_one_before_count_in_neither(client, chain, monkeypatch):
    now = datetime(2026, 3, 18, 12, tzinfo=timezone.get_default_timezone())  # a Wednesday
    monkeypatch.setattr(timezone, "now", lambda: now)
    for day in range(20):
        make_submission(chain.north, 5, days_ago=day)
    client.force_login(chain.head)
    for _counted in range(2):
        context = client.get(url("overview"), {"days": "week"}).context
        assert (context["now"].n, context["before"].n) == (3, 3)
        [row] = [row for row in context["branch_rows"] if row.tally.n]
        assert row.change.value == 0
        rollup.count_days(60)


def test_only_the_follow_up_offers_any_time(form):
    filters = form("", any_time=True).filters()
    assert (filters.start, filters.end) == (FIRST_DAY, LAST_DAY)
    assert filters.is_any_time
    assert filters.query_string() == ""
    assert form("days=30", any_time=True).filters().query_string() == "days=30"
    assert "days" in form("days=any").errors


def test_a_problem_is_found_among_several(client, chain):
    cold = make_submission(chain.north, 1, comment="cold and dirty", problems=4 | 8)
    make_submission(chain.north, 1, comment="slow", problems=32)
    client.force_login(chain.head)
    for page in ("comments", "follow_up"):
        assert client.get(url(page), {"problem": "cold"}).context["submissions"] == [cold]


def test_the_pages_keep_the_filters_of_each_other(client, chain):
    client.force_login(chain.head)
    query = "days=90&amp;branch=north"
    for page in ("overview", "comments", "follow_up", "export"):
        text = client.get(url(page), {"days": "90", "branch": "north"}).content.decode()
        for other in ("overview", "comments", "follow_up", "export"):
            # The export is of the list, whose tab is a filter too.
            status = "&amp;status=open" if (page, other) == ("follow_up", "export") else ""
            assert f'href="{url(other)}?{query}{status}"' in text, (page, other)


def test_a_filter_that_a_page_does_not_show_does_not_count_there(client, chain):
    make_submission(chain.north, 1, comment="cold")
    client.force_login(chain.head)
    assert client.get(url("follow_up"), {"score": "high", "q": "nothing"}).context["submissions"]


def test_low_scores_are_filtered_by_one_of_them(client, chain):
    one, two = make_submission(chain.north, 1), make_submission(chain.north, 2)
    client.force_login(chain.head)
    for score, listed in (("", [one, two]), ("high", [one, two]), ("1", [one]), ("2", [two])):
        shown = client.get(url("follow_up"), {"score": score})
        assert shown.context["submissions"] == listed
        assert not shown.context["form"].errors
        assert [value for value, _label in shown.context["form"].fields["score"].choices] == ["", "1", "2"]


def test_the_longer_period_of_an_empty_page_keeps_the_branch(client, chain):
    client.force_login(chain.head)
    text = client.get(url("overview"), {"branch": "north", "start": "2026-01-01", "end": "2026-01-02"}).content.decode()
    assert 'href="?days=365&amp;branch=north"' in text
