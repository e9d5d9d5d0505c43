"""Figures, lists and exports of head office's own questions."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from survey import chain as kept_chain
from survey.jobs import rollup
from survey.models import Question, QuestionRollup, QuestionValue, RollupDay, Submission
from survey.staff import comparison
from survey.staff.filters import Filters
from survey.staff.question_figures import own_figures
from survey.staff.statements import run
from tests.support.chain import Chain, make_submission

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate
DAYS = 10
PARKING = comparison.Column("own-parking", "Parking", is_share=False)


def question(kind: str, key: str, label: str, **fields: Any) -> Question:
    return Question.objects.create(kind=kind, key=key, label=label, **fields)


@pytest.fixture
def asked(chain: Chain) -> dict[str, Question]:
    """Own questions beside two of the core."""
    made = {
        "parking": question("aspect", "parking", "停车", label_en="Parking", position=1),
        "taste": question("aspect", "taste", "味道好吗", label_en="How was the taste?", position=2),
        "gone": question("aspect", "gone", "早餐", label_en="Breakfast", position=3, is_retired=True),
        "loud": question("problem", "loud", "音乐太吵", label_en="Loud music", position=1),
        "waiting": question("problem", "waiting", "等太久", label_en="Slow", position=2),
    }
    kept_chain.forget()
    return made


def rate(submission: Submission, **values: int) -> Submission:
    for key, value in values.items():
        QuestionValue.objects.create(submission=submission, question=Question.objects.get(key=key), value=value)
    return submission


@pytest.fixture
def rated(chain: Chain, asked: dict[str, Question]) -> None:
    """Values of two branches, of no branch, and of the period before."""
    for day in range(DAYS):
        rate(make_submission(chain.north, 1, day), parking=1 + day % 2, loud=1)
        rate(make_submission(chain.south, 5, day, language="en"), parking=5)
    make_submission(chain.north, 2, 1, problems=32)
    rate(make_submission(None, 3, 1), parking=3)
    rate(make_submission(chain.north, 4, DAYS + 1), parking=4, gone=2)


def of(chain: Chain, **changes: Any) -> Filters:
    start = TODAY() - timedelta(DAYS - 1)
    return Filters(**{"start": start, "end": TODAY(), "branch_ids": None, **changes})


def results(filters: Filters, asked: dict[str, Question]) -> tuple[Any, ...]:
    now, before = run(own_figures(filters))
    parking = asked["parking"].pk
    estimates = (now.aspect(parking), before.aspect(parking))
    return (
        *((found.n, round(found.value, 6)) if found else None for found in estimates),
        now.problem(asked["loud"].pk),
    )


SELECTIONS = [
    ({}, ((2 * DAYS + 1, round((15 + 5 * DAYS + 3) / (2 * DAYS + 1), 6)), (1, 4.0), DAYS)),
    ({"branch": "north"}, ((DAYS, 1.5), (1, 4.0), DAYS)),
    ({"branch": "both"}, ((2 * DAYS, (15 + 5 * DAYS) / (2 * DAYS)), (1, 4.0), DAYS)),
    ({"without_branch": True}, ((1, 3.0), None, 0)),
    ({"language": "en"}, ((DAYS, 5.0), None, 0)),
    ({"scores": (4, 5)}, ((DAYS, 5.0), (1, 4.0), 0)),
]


@pytest.mark.usefixtures("rated")
@pytest.mark.parametrize(("selection", "expected"), SELECTIONS)
def test_figures_are_the_same_before_and_after_the_days_are_counted(
    chain: Chain, asked: dict[str, Question], selection: dict[str, Any], expected: Any
) -> None:
    branches = {"north": (chain.north.pk,), "both": (chain.north.pk, chain.south.pk)}
    changes = {name: value for name, value in selection.items() if name != "branch"}
    if "branch" in selection:
        changes["branch_ids"] = branches[selection["branch"]]
    filters = of(chain, **changes)
    assert results(filters, asked) == expected
    assert rollup.count_days(600)
    assert QuestionRollup.objects.exists()
    assert results(filters, asked) == expected
    # A submission that comes late is counted at once, and once.
    RollupDay.objects.update(is_late=True)
    assert results(filters, asked) == expected
    rollup.count_days(600)
    assert results(filters, asked) == expected


@pytest.mark.usefixtures("rated")
def test_the_rows_of_a_day_are_at_most_twice_its_values() -> None:
    rollup.count_days(600)
    yesterday = TODAY() - timedelta(1)
    values = QuestionValue.objects.filter(submission__local_date=yesterday).count()
    assert 0 < QuestionRollup.objects.filter(local_date=yesterday).count() <= 2 * values


def test_a_chain_without_own_questions_costs_no_query(chain: Chain, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        run(own_figures(of(chain)))


@pytest.mark.usefixtures("rated")
def test_the_overview_shows_own_questions_beside_those_of_the_core(client: Client, chain: Chain) -> None:
    client.force_login(chain.head)
    page = client.get("/dashboard/?days=7", headers={"accept-language": "en"}).content.decode()
    text = re.sub(r"<[^>]+>|\s+", " ", page)
    aspects = text[text.index("Aspects") :]
    assert re.search(r"Parking\s+15\s+3.20", aspects), aspects[:500]  # n and average of a week
    assert "How was the taste?" in aspects
    assert "Breakfast" not in aspects  # retired, and not rated in the period
    problems = text[text.index("What went wrong") :]
    assert re.search(r"Loud music\s+7\s+87.5%\s+Slow\s+1\s+12.5%", problems), problems[:500]
    assert "problem=loud" in page
    page = client.get("/dashboard/?days=30", headers={"accept-language": "en"}).content.decode()
    assert "Breakfast" in page


@pytest.mark.usefixtures("rated")
def test_a_retired_question_keeps_its_figures(client: Client, chain: Chain) -> None:
    Question.objects.update(is_retired=True)
    kept_chain.forget()
    client.force_login(chain.head)
    page = client.get("/dashboard/?days=30", headers={"accept-language": "en"}).content.decode()
    assert "Parking" in page
    assert "Loud music" in page


@pytest.mark.usefixtures("rated")
def test_lists_filter_by_an_own_problem_and_name_it(client: Client, chain: Chain) -> None:
    client.force_login(chain.head)
    for path in ("/dashboard/follow-up/?status=all&days=30&problem=loud", "/dashboard/follow-up/?problem=loud"):
        page = client.get(path, headers={"accept-language": "en"}).content.decode()
        assert page.count('<li class="card comment">') == DAYS
        assert page.count('<span class="chip">Loud music</span>') == DAYS
    page = client.get("/dashboard/follow-up/?problem=waiting", headers={"accept-language": "en"}).content.decode()
    assert page.count('<span class="chip">Slow</span>') == 1
    client.force_login(chain.south_manager)
    page = client.get("/dashboard/follow-up/?problem=loud").content.decode()
    assert '<li class="card comment">' not in page


@pytest.mark.usefixtures("rated")
def test_a_list_reads_the_values_of_its_submissions_at_once(client: Client, chain: Chain) -> None:
    client.force_login(chain.head)
    client.get("/dashboard/follow-up/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/dashboard/follow-up/")
    assert sum("survey_questionvalue" in query["sql"] for query in queries) == 1


@pytest.mark.usefixtures("rated")
def test_a_submission_shows_its_own_values(client: Client, chain: Chain) -> None:
    submission = Submission.objects.filter(branch=chain.north, satisfaction=1).latest("local_date")
    client.force_login(chain.north_manager)
    page = client.get(f"/dashboard/responses/{submission.reference}/", headers={"accept-language": "en"})
    assert "<dt>Parking</dt><dd>1</dd>" in page.content.decode()
    assert "Loud music" in page.content.decode()


@pytest.mark.usefixtures("rated")
def test_an_export_has_own_aspects_as_last_columns_and_own_problems_among_the_others(
    client: Client, chain: Chain
) -> None:
    client.force_login(chain.head)
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/dashboard/export.csv?days=30&personal=1")
        text = b"".join(response.streaming_content) if response.streaming else response.content
    header, *rows = csv.reader(StringIO(text.decode("utf-8-sig")))
    assert header[-2:] == ["停车", "早餐"]
    assert "味道好吗" in header
    assert {(row[-2], row[-1]) for row in rows} == {("1", ""), ("2", ""), ("5", ""), ("", ""), ("3", ""), ("4", "2")}
    assert sum("音乐太吵" in row for row in rows) == DAYS
    assert sum("等太久" in row for row in rows) == 1
    days_with_submissions = DAYS + 1
    assert sum("survey_questionvalue" in query["sql"] for query in queries) == days_with_submissions


@pytest.mark.usefixtures("rated")
@pytest.mark.parametrize("is_counted", [False, True])
@pytest.mark.parametrize("query", ["", "?branch=north&days=30"])
def test_branches_are_compared_by_own_questions_too(
    client: Client, chain: Chain, asked: dict[str, Question], is_counted: bool, query: str
) -> None:
    if is_counted:
        rollup.count_days(600)
    filters = of(chain)
    scores = run(comparison.scores(filters, [chain.north.pk, chain.south.pk]))
    north, south = (comparison.figure(scores.by_branch[branch.pk], PARKING) for branch in (chain.north, chain.south))
    assert north and (north.n, north.value) == (DAYS, 1.5)
    assert south and (south.n, south.value) == (DAYS, 5.0)
    others = comparison.figure(comparison.without(scores.total, scores.by_branch[chain.north.pk]), PARKING)
    assert others and others.n == DAYS + 1  # the south, and a submission without a branch
    complaints = run(comparison.complaints(filters, [chain.north.pk, chain.south.pk]))
    bit = -asked["loud"].pk
    assert (complaints.total.named[bit], complaints.by_branch[chain.north.pk].named[bit]) == (DAYS, DAYS)
    assert complaints.by_branch[chain.south.pk].named[bit] == 0
    client.force_login(chain.head)
    page = client.get(f"/dashboard/compare/{query}", headers={"accept-language": "en"})
    assert page.status_code == 200
    assert "Parking" in page.content.decode()
    assert "Loud music" in page.content.decode()
    assert "Breakfast" not in page.content.decode()
