"""The overview shows beside each figure whether chance may explain it."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import dateformat, timezone, translation

from survey.jobs import rollup
from survey.models import Branch, Submission
from survey.scales import Problem
from survey.staff import figures
from survey.staff.views.overview import label_format
from tests.support.chain import make_submission


@pytest.fixture
def overview(client, chain):
    """The overview of head office, in English."""
    client.force_login(chain.head)
    return lambda **query: client.get(reverse("dashboard:overview"), query, headers={"Accept-Language": "en"})


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_a_change_against_a_small_period_before_is_grey_and_noted(chain, overview):
    for _number in range(30):
        make_submission(chain.north, 1)
    assert "few" not in text_of(overview()).partition("Distribution")[0]
    make_submission(chain.north, 5, days_ago=31)
    shown = overview()
    assert "The period before has fewer than 30 answers" in text_of(shown)
    assert "change down" not in shown.content.decode()
    make_submission(chain.south, 5)
    assert "Fewer than 30 answers" in text_of(overview(branch="south"))


def test_a_period_that_ends_in_the_future_is_not_compared_with_a_full_one(chain, overview):
    for days_ago in (0, 1, 2, 3):
        make_submission(chain.north, days_ago=days_ago)
    today = timezone.localdate()
    assert "1 in the period before" in text_of(overview(start=today, end=today + timedelta(40)))


def test_each_score_that_was_given_leads_to_its_comments(chain, overview, client):
    make_submission(chain.north, 5, comment="太好吃了")
    make_submission(chain.north, 2, comment="太慢了")
    page = overview(days="7", branch="north").content.decode()
    links = re.findall(r'<th scope="row" class="level"><a href="([^"]+)">(\d)', page)
    assert [score for _link, score in links] == ["5", "2"]
    comments = client.get(html.unescape(links[0][0])).content.decode()
    assert "太好吃了" in comments
    assert "太慢了" not in comments


def test_each_part_of_the_nps_has_its_share_and_range(chain, overview):
    for recommend in (10, 9, 8, 3):
        make_submission(chain.north, 4, recommend=recommend)
    shown = overview()
    parts = shown.context["nps_parts"]
    assert [(part.count, part.share.value) for part in parts] == [(1, 0.25), (1, 0.25), (2, 0.5)]
    # Wilson's score interval of 1 and of 2 in 4.
    assert "Detractors (0 to 6) 1 25.0% 4.6% – 69.9%" in text_of(shown)
    assert "Promoters (9 and 10) 2 50.0% 15.0% – 85.0%" in text_of(shown)


def test_problems_are_counted_over_the_low_scores_of_the_filters(chain, overview):
    make_submission(chain.north, 1, problems=Problem.COLD | Problem.DIRTY)
    make_submission(chain.north, 2, problems=Problem.COLD)
    make_submission(chain.north, 2)
    make_submission(chain.north, 3, problems=Problem.WAITING)
    make_submission(chain.south, 1, problems=Problem.WAITING)
    make_submission(chain.north, 1, days_ago=40, problems=Problem.WAITING)
    shown = overview(branch="north")
    first, second, third, *_others = shown.context["problems"]
    assert (first.label, first.count, second.label, second.count, third.count) == (
        Problem.COLD.label,
        2,
        Problem.DIRTY.label,
        1,
        0,
    )
    assert "Of 3 low scores" in text_of(shown)
    assert "Food was cold 2 66.7%" in text_of(shown)
    assert overview(score="high").context["low_count"] == 0
    assert overview(score="1", branch="north").context["low_count"] == 1


def test_a_problem_links_to_its_low_scores_of_the_same_period(client, chain, overview):
    recent = make_submission(chain.north, 1, problems=Problem.COLD)
    make_submission(chain.north, 1, days_ago=40, problems=Problem.COLD)
    [link] = re.findall(r'href="(/dashboard/follow-up/\?[^"]*problem=cold[^"]*)"', overview().content.decode())
    assert client.get(link.replace("&amp;", "&")).context["submissions"] == [recent]


@pytest.mark.parametrize("score", ["", "low", "1", "2"])
def test_a_problem_links_to_as_many_submissions_as_it_counts(client, chain, overview, score):
    for satisfaction in (1, 1, 2, 2, 2):
        make_submission(chain.north, satisfaction, problems=Problem.COLD)
    shown = overview(score=score)
    [problem] = [row for row in shown.context["problems"] if row.count]
    listed = client.get(f"{reverse('dashboard:follow_up')}?{problem.link}").context["submissions"]
    assert len(listed) == problem.count == {"1": 2, "2": 3}.get(score, 5)


@pytest.mark.parametrize("score", ["", "high", "5", "low", "1"])
def test_a_keyword_links_to_as_many_comments_as_it_counts(client, chain, overview, score):
    for satisfaction in (5, 5, 4, 4, 4, 2, 2, 1, 1):
        make_submission(chain.north, satisfaction, comment="排队")
    shown = overview(score=score)
    counts = [keyword.comments for name in ("good_keywords", "bad_keywords") for keyword in shown.context[name]]
    links = re.findall(r'href="(/dashboard/comments/\?[^"]*q=[^"]*)"', shown.content.decode())
    listed = [len(client.get(link.replace("&amp;", "&")).context["submissions"]) for link in links]
    assert listed == counts == {"": [5, 4], "high": [5], "5": [2], "low": [4], "1": [2]}[score]


def test_the_problem_of_another_page_does_not_count_here(chain, overview):
    make_submission(chain.north, 1, problems=Problem.DIRTY)
    assert overview(problem="cold").context["low_count"] == 1


def test_problems_are_counted_from_the_newest_low_scores_and_the_page_says_so(chain, overview, monkeypatch):
    monkeypatch.setattr(figures, "NEWEST_LOW", 2)
    make_submission(chain.north, 1, days_ago=2, problems=Problem.DIRTY)
    for _number in range(2):
        make_submission(chain.north, 1, problems=Problem.COLD)
    shown = overview()
    assert {row.label: row.count for row in shown.context["problems"]}[Problem.DIRTY.label] == 0
    assert "Of the newest 2 low scores" in text_of(shown)


def test_figures_of_a_chosen_score_say_that_they_are_not_of_all_guests(chain, overview):
    make_submission(chain.north, 1)
    sentence = "Only answers with the chosen score are counted"
    assert sentence in text_of(overview(score="low"))
    assert sentence not in text_of(overview())


def test_a_few_perfect_scores_do_not_lead_the_branches(chain, overview):
    for _number in range(5):
        make_submission(chain.south, 5)
    for number in range(40):
        make_submission(chain.north, 5 if number else 3)
    shown = overview()
    assert [row.name for row in shown.context["branch_rows"]] == ["North", "South"]
    assert re.search(r"South few answers 100\.0%", text_of(shown))
    assert not re.search(r"North few answers", text_of(shown))


def test_csat_and_nps_are_explained_in_a_visible_line(chain, overview):
    make_submission(chain.north)
    shown = overview()
    assert "CSAT: customer satisfaction, the share of 4 and 5." in text_of(shown)
    assert "<abbr" not in shown.content.decode()


@pytest.mark.parametrize(("language", "label"), [("en", "2 Nov"), ("zh-hans", "11-2")])
def test_dates_of_a_chart_are_formatted_for_the_language(language, label):
    with translation.override(language):
        assert dateformat.format(date(2026, 11, 2), label_format(is_monthly=False)) == label


def submit_daily(branch, days, each=1, score=5, last=0):
    """Store so many submissions on each day of the `days` until `last` days ago."""
    Submission.objects.bulk_create(
        Submission(
            branch=branch,
            satisfaction=score,
            language="zh-hans",
            local_date=timezone.localdate() - timedelta(last + number),
        )
        for number in range(days)
        for _submission in range(each)
    )


@pytest.mark.parametrize(
    ("each", "days", "window", "step", "points"),
    [
        (5, "30", 7, 1, 30),
        (5, "7", 7, 1, 7),
        (5, "90", 7, 7, 12),
        (1, "90", 28, 7, 12),
    ],
)
def test_the_step_of_the_trend_follows_the_number_of_submissions(chain, overview, each, days, window, step, points):
    submit_daily(chain.north, 800, each)
    trend = overview(days=days).context["trend"]
    assert (trend.window, trend.step, len(trend.points)) == (window, step, points)
    assert trend.points[-1].day == timezone.localdate()


@pytest.mark.parametrize(("each", "window"), [(5, 1), (1, 1), (0.5, 3)])
def test_the_trend_of_a_year_has_its_months(chain, overview, each, window):
    if each < 1:
        for days_ago in range(0, 800, 2):
            submit_daily(chain.north, 1, 1, last=days_ago)
    else:
        submit_daily(chain.north, 800, each)
    shown = overview(days="365")
    trend = shown.context["trend"]
    today = timezone.localdate()
    months = sorted({f"{today - timedelta(days_ago):%Y-%m}" for days_ago in range(365)})
    assert (trend.is_monthly, trend.window) == (True, window)
    assert re.findall(r'<th scope="row">(\d{4}-\d\d)</th>', shown.content.decode()) == months
    assert trend.points[-1].day == today
    assert ("CSAT of each month" if window == 1 else "CSAT of 3 months") in text_of(shown)


def test_a_point_is_of_the_days_until_it_also_of_those_before_the_period(chain, overview):
    submit_daily(chain.north, 7, 10, score=5)
    submit_daily(chain.north, 7, 10, score=1, last=7)
    rollup.count_days(3)
    first, *_others, last = overview(days="7").context["trend"].points
    assert (first.csat.n, first.csat.value, first.submissions) == (70, 1 / 7, 10)
    assert (last.csat.n, last.csat.value) == (70, 1)


def test_no_point_rests_on_a_handful_of_submissions(chain, overview):
    submit_daily(chain.north, 9)
    shown = overview(days="7")
    assert [point.csat for point in shown.context["trend"].points] == [None] * 7
    assert 'class="trend"' not in shown.content.decode()
    submit_daily(chain.north, 1, 5)
    assert [bool(point.csat) for point in overview(days="7").context["trend"].points] == [False] * 6 + [True]


def test_the_year_before_is_a_line_where_there_is_one(chain, overview):
    submit_daily(chain.north, 7, 10)
    assert "A year before" not in text_of(overview(days="7"))
    submit_daily(chain.north, 14, 10, score=1, last=364)
    rollup.count_days(400)
    shown = overview(days="7")
    assert [point.year_before.value for point in shown.context["trend"].points] == [0] * 7
    assert "a year before 0.0%" in text_of(shown)


def test_a_period_shorter_than_a_week_has_no_trend(chain, overview):
    submit_daily(chain.north, 30, 10)
    assert 'class="trend"' not in overview(days="today").content.decode()


def test_of_very_many_branches_the_highest_and_the_lowest_are_listed(chain, overview, monkeypatch):
    monkeypatch.setattr(figures, "LISTED", 2)
    for number in range(5):
        branch = Branch.objects.create(code=f"b{number}", name=f"{number}店", name_en=f"B{number}")
        for _submission in range(3):
            make_submission(branch, 5, days_ago=number, recommend=10)
        for _submission in range(number):
            make_submission(branch, 1, days_ago=number, recommend=0)
        make_submission(branch, 1, days_ago=31)
    make_submission(None, 1)
    whole = {row.name: row for row in overview().context["branch_rows"]}
    assert list(whole) == ["B0", "B1", "B4", "Without a branch"]
    assert "2 more branches" in text_of(overview())
    assert "The 2 highest and the 2 lowest" in text_of(overview())
    rollup.count_days(30)
    assert {row.name: row for row in overview().context["branch_rows"]} == whole
    monkeypatch.undo()
    every = {row.name: row for row in overview().context["branch_rows"]}
    assert list(every) == ["B0", "B1", "B2", "B3", "B4", "Without a branch", "North", "South"]
    assert {name: every[name] for name in whole} == whole
    assert "highest and" not in text_of(overview())
