"""Head office edits the questions of its chain: labels, order, new ones, retired ones."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from survey import chain as kept_chain
from survey.chain import ASPECT, PROBLEM
from survey.guest.forms import SubmissionForm
from survey.models import Question, Submission
from survey.scales import ASPECTS, Problem
from survey.staff import questions
from tests.support.chain import Chain, make_submission

pytestmark = pytest.mark.django_db

URL = "/dashboard/questions/"
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def head(client: Client, chain: Chain) -> Client:
    client.force_login(chain.head)
    return client


def post(client: Client, path: str, **values: Any) -> Any:
    return client.post(URL + path, values, headers=ENGLISH)


def asked(kind: str = ASPECT) -> list[str]:
    return [question.key for question in kept_chain.current().asked(kind)]


def test_a_new_installation_lists_todays_six_aspects_and_eight_problems(head: Client) -> None:
    page = head.get(URL, headers=ENGLISH).content.decode()
    assert re.findall("<code>([^<]+)</code>", page) == [*ASPECTS, *(problem.slug for problem in Problem)]
    assert not Question.objects.exists()


def test_an_added_aspect_is_asked_at_once_and_the_others_stay(head: Client) -> None:
    assert post(head, "aspect/add/", label="停车", label_en="Car park").status_code == 302
    assert asked() == [*ASPECTS, "car-park"]
    assert asked(PROBLEM) == [problem.slug for problem in Problem]
    page = Client().get("/", headers={"accept-language": "zh"}).content.decode()
    assert 'name="own-car-park"' in page
    assert "停车" in page
    assert "口味" in page


def test_something_else_stays_the_last_problem(head: Client) -> None:
    for label in ("太吵", "太冷"):
        post(head, "problem/add/", label=label)
    assert asked(PROBLEM)[-3:] == ["problem", "problem-2", "other"]


def test_the_first_change_changes_nothing_else_on_the_page(head: Client) -> None:
    def page(language: str) -> str:
        text = Client().get(f"/?lang={language}").content.decode()
        return re.sub(r'name="(submission_id|started)" value="[^"]+"', "", text)

    before = [page("zh"), page("en")]
    post(head, "aspect/taste/", label="口味", label_en="Taste")
    assert Question.objects.count() == len(ASPECTS) + len(Problem)
    assert [page("zh"), page("en")] == before


def test_data_of_today_stays_counted_under_its_new_label(head: Client, chain: Chain) -> None:
    make_submission(chain.north, 1, taste=2, problems=Problem.COLD)
    post(head, "aspect/taste/", label="味道", label_en="Flavour")
    post(head, "problem/cold/", label="菜凉了", label_en="Cold dishes")
    page = head.get("/dashboard/?days=7", headers=ENGLISH).content.decode()
    assert re.search(r'Flavour</th><td class="number">1</td><td class="number">2.00', page)
    assert re.search(r"Cold dishes</a>", page)
    assert "problem=cold" in page
    submission = Submission.objects.get()
    detail = head.get(f"/dashboard/responses/{submission.reference}/", headers=ENGLISH).content.decode()
    assert "<dt>Flavour</dt><dd>2</dd>" in detail
    assert "Cold dishes" in detail


def test_a_retired_question_is_asked_again(head: Client) -> None:
    assert post(head, "aspect/service/change/", action="retire")["Location"] == f"{URL}#aspect"
    assert "service" not in asked()
    assert 'name="service"' not in Client().get("/").content.decode()
    assert post(head, "aspect/service/change/", action="ask").status_code == 302
    assert asked() == list(ASPECTS)


def test_without_any_question_of_a_kind_the_page_leaves_the_part_out(head: Client) -> None:
    for key in ASPECTS:
        post(head, f"aspect/{key}/change/", action="retire")
    for problem in Problem:
        post(head, f"problem/{problem.slug}/change/", action="retire")
    page = Client().get("/").content.decode()
    assert "<details" not in page
    assert 'class="low"' not in page
    response = Client().post("/submitSurvey", {"satisfaction": 1, "anonymous": "yes"})
    assert response.status_code == 302


@pytest.mark.parametrize(("place", "expected"), [(0, 0), (2, 2), (3, 3), (99, 5)])
def test_a_question_is_moved_and_a_repeated_request_changes_nothing(head: Client, place: int, expected: int) -> None:
    for _twice in range(2):
        post(head, "aspect/hygiene/change/", place=place)
    assert asked().index("hygiene") == expected
    assert [key for key in asked() if key != "hygiene"] == [key for key in ASPECTS if key != "hygiene"]


def test_the_order_counts_without_the_retired_ones(head: Client) -> None:
    post(head, "aspect/taste/change/", action="retire")
    post(head, "aspect/service/change/", place=0)
    assert asked() == ["service", "variety", "hygiene", "atmosphere", "value"]


@pytest.mark.parametrize(
    ("kind", "label_en", "key"),
    [
        (ASPECT, "Car park", "car-park"),
        (ASPECT, "", "aspect"),
        (PROBLEM, "Cold", "cold-2"),  # the key of another is its own
        (ASPECT, "Cold", "cold-2"),
        (PROBLEM, "Value", "value-2"),
        (ASPECT, "Add", "add-2"),  # a page's address
        (ASPECT, "停", "aspect"),
        (ASPECT, "x" * 40, "x" * 29),
    ],
)
def test_the_key_comes_from_the_english_label_and_is_of_one_question(
    head: Client, kind: str, label_en: str, key: str
) -> None:
    post(head, f"{kind}/add/", label="新的", label_en=label_en)
    assert [question.key for question in kept_chain.current().own] == [key]
    post(head, f"{kind}/{key}/", label="变了", label_en="Changed")
    assert [(question.key, question.label) for question in kept_chain.current().own] == [(key, "变了")]
    form = SubmissionForm.from_json({"satisfaction": 1, "name": "x", "phone": "12345", "own": {key: 3}})
    assert ("own" in form.errors) == (kind == PROBLEM)


def test_labels_are_needed_short_and_different(head: Client) -> None:
    for values in ({"label": ""}, {"label": "长" * 41}, {"label": "口味"}, {"label": "新的", "label_en": "taste"}):
        assert post(head, "aspect/add/", **values).status_code == 400
    assert not Question.objects.exists()
    assert post(head, "aspect/taste/", label="口味", label_en="taste").status_code == 302  # its own


def test_guests_are_asked_a_bounded_number(head: Client) -> None:
    for number in range(questions.MOST_ASKED[ASPECT] - len(ASPECTS)):
        assert post(head, "aspect/add/", label=f"第{number}").status_code == 302
    response = post(head, "aspect/add/", label="太多")
    assert response.status_code == 400
    assert "Retire one first" in response.content.decode()
    post(head, "aspect/taste/change/", action="retire")
    assert post(head, "aspect/add/", label="太多").status_code == 302
    page = head.post(f"{URL}aspect/taste/change/", {"action": "ask"}, headers=ENGLISH, follow=True).content.decode()
    assert "Retire one first" in page
    assert "taste" not in asked()


def test_the_page_with_the_most_questions_stays_small(head: Client) -> None:
    for kind in (ASPECT, PROBLEM):
        while len(asked(kind)) < questions.MOST_ASKED[kind]:
            number = len(asked(kind))
            label, label_en = f"第{number}".ljust(40, "长"), f"{number}".ljust(40, "x")
            assert post(head, f"{kind}/add/", label=label, label_en=label_en).status_code == 302
    assert len(Client().get("/", headers={"accept-language": "zh"}).content) < 25_000


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("nothing/add/", {}),
        ("aspect/missing/", {"label": "x"}),
        ("aspect/missing/change/", {"action": "retire"}),
        ("aspect/cold/change/", {"action": "retire"}),
        ("aspect/taste/change/", {}),
        ("aspect/taste/change/", {"place": "-1"}),
        ("aspect/taste/change/", {"place": "1" * 400}),
    ],
)
def test_what_there_is_not_is_404(head: Client, path: str, values: dict[str, str]) -> None:
    assert post(head, path, **values).status_code == 404
    assert not Question.objects.exists()


def test_two_first_changes_at_once_store_the_core_once(head: Client) -> None:
    Question.objects.create(kind=ASPECT, key="taste", label="x")
    with pytest.MonkeyPatch.context() as patch:
        # As the second transaction sees it: no rows when it looks, all of them when it inserts.
        patch.setattr("django.db.models.query.QuerySet.exists", lambda _self: False)
        questions._locked_rows()
    assert Question.objects.count() == len(ASPECTS) + len(Problem)
