"""Head office's own questions: asked on the page, sent by form and JSON, stored as rows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from survey import chain
from survey.guest import blank_page
from survey.jobs import retention
from survey.models import Question, QuestionValue, Submission
from survey.scales import Problem

pytestmark = pytest.mark.django_db

VALID = {"name": "王芳", "phone": "13800138000", "satisfaction": 2}


def row(kind: str, key: str, label: str, position: int = 0, **fields: Any) -> Question:
    return Question.objects.create(kind=kind, key=key, label=label, position=position, **fields)


@pytest.fixture
def parking() -> Question:
    """A chain that asks about parking and taste, and of problems about the music and the queue."""
    row("aspect", "taste", "味道好吗", 2, label_en="How was the taste?")
    row("aspect", "service", "服务", 3, is_retired=True)
    row("problem", "loud", "音乐太吵", 1, label_en="Loud music")
    row("problem", "waiting", "等太久", 2, label_en="Slow")
    asked = row("aspect", "parking", "停车", 1, label_en="Parking")
    chain.forget()
    return asked


def send(client: Client, **values: Any) -> Any:
    return client.post("/submitSurvey", {**VALID, **values}, content_type="application/json")


def own_values(submission: Submission) -> dict[str, int]:
    return dict(QuestionValue.objects.filter(submission=submission).values_list("question__key", "value"))


def fields_of(page: str) -> list[str]:
    """Return the names of the aspects' fields and the values of the problems, in the order of the page."""
    problems = re.findall(r'name="problems" value="([^"]+)"', page)
    details = page[page.index("<details") : page.index("</details>")]
    return list(dict.fromkeys(re.findall(r' name="([^"]+)"', details))) + problems


def test_the_page_asks_what_head_office_has_set_in_its_order(client: Client, parking: Question) -> None:
    page = client.get("/", headers={"accept-language": "zh"}).content.decode()
    assert fields_of(page) == ["own-parking", "taste", "loud", "waiting"]
    assert all(label in page for label in ("停车", "味道好吗", "音乐太吵", "等太久"))
    page = client.get("/?lang=en").content.decode()
    assert all(label in page for label in ("Parking", "How was the taste?", "Loud music", "Slow"))


def test_the_page_is_rendered_once_until_the_questions_change(client: Client, parking: Question) -> None:
    blank_page._page_text.cache_clear()
    for _ in range(3):
        client.get("/")
    assert blank_page._page_text.cache_info().misses == 1
    Question.objects.filter(pk=parking.pk).update(label="停车方便吗", label_en="Parking lot")
    chain.forget()
    assert "停车方便吗" in client.get("/", headers={"accept-language": "zh"}).content.decode()
    assert blank_page._page_text.cache_info().misses == 2


def test_own_values_of_a_form_are_rows_and_those_of_the_core_columns(client: Client, parking: Question) -> None:
    given = {"own-parking": "4", "taste": "3", "problems": ["loud", "waiting"], "comment": ""}
    assert client.post("/submitSurvey", {**VALID, **given}).status_code == 302
    stored = Submission.objects.get()
    assert (stored.taste, stored.problems) == (3, Problem.WAITING)
    assert own_values(stored) == {"parking": 4, "loud": 1}


def test_own_values_of_json_are_an_object_by_key(client: Client, parking: Question) -> None:
    assert send(client, own={"parking": 5, "loud": True}, problems=["waiting"]).status_code == 201
    stored = Submission.objects.get()
    assert stored.problems == Problem.WAITING
    assert own_values(stored) == {"parking": 5, "loud": 1}
    assert send(client, own={"parking": 1.0, "loud": False}).status_code == 201
    assert own_values(Submission.objects.latest("pk")) == {"parking": 1}


@pytest.mark.parametrize(
    "own",
    [
        [],
        "parking",
        {"parking": 6},
        {"parking": 0},
        {"parking": True},
        {"parking": "4"},
        {"parking": 10**400},
        {"loud": 1},
        {"loud": None},
        {"unknown": 3},
        {"taste": 3},
        {"waiting": True},
    ],
)
def test_what_json_cannot_mean_is_an_error_and_nothing_is_stored(client: Client, parking: Question, own: Any) -> None:
    response = send(client, own=own)
    assert response.status_code == 400
    assert list(json.loads(response.content)["errors"]) == ["own"]
    assert not Submission.objects.exists()


def test_own_problems_are_kept_of_a_low_score_only(client: Client, parking: Question) -> None:
    assert send(client, satisfaction=4, own={"parking": 2, "loud": True}).status_code == 201
    assert own_values(Submission.objects.get()) == {"parking": 2}


def test_a_draft_of_a_question_that_has_retired_is_accepted(client: Client, parking: Question) -> None:
    Question.objects.update(is_retired=True)
    chain.forget()
    given = {"own-parking": "4", "taste": "3", "problems": ["loud", "waiting"]}
    assert client.post("/submitSurvey", {**VALID, **given}).status_code == 302
    stored = Submission.objects.get()
    assert (stored.taste, stored.problems, own_values(stored)) == (3, Problem.WAITING, {"parking": 4, "loud": 1})
    with translation.override("en"):
        assert [label for label, _score in stored.aspect_list] == ["Parking", "How was the taste?"]
        assert stored.problem_labels == ["Loud music", "Slow"]


def test_a_question_that_another_process_added_a_moment_ago_is_known(client: Client) -> None:
    chain.current()
    row("aspect", "parking", "停车")
    assert client.post("/submitSurvey", {**VALID, "own-parking": "4"}).status_code == 302
    assert own_values(Submission.objects.get()) == {"parking": 4}


def test_nothing_typed_is_lost_on_a_page_with_errors(client: Client, parking: Question) -> None:
    row("aspect", "queue", "排队", 5, is_retired=True)
    row("aspect", "gone", "没有了", 6, is_retired=True)
    chain.forget()
    given = {"own-parking": "4", "own-queue": "2", "own-nonsense": "3", "problems": ["loud"], "phone": "x"}
    response = client.post("/submitSurvey?lang=en", {**VALID, **given})
    page = response.content.decode()
    assert response.status_code == 400
    assert fields_of(page) == ["own-parking", "taste", "own-queue", "loud", "waiting"]
    checked = re.findall(r'name="([^"]+)" value="([^"]+)"[^>]* checked', page)
    assert set(checked) >= {("own-parking", "4"), ("own-queue", "2"), ("problems", "loud")}
    assert not re.findall(r'<div class="error"[^>]*id="id_own', page)


def test_the_language_switch_keeps_own_values(client: Client, parking: Question) -> None:
    page = client.post("/?lang=zh", {"own-parking": "4", "problems": ["loud"]}).content.decode()
    checked = re.findall(r'name="([^"]+)" value="([^"]+)"[^>]* checked', page)
    assert set(checked) >= {("own-parking", "4"), ("problems", "loud")}
    assert "停车" in page


def test_a_retry_is_recognised_and_other_own_values_are_not_the_same_submission(
    client: Client, parking: Question
) -> None:
    given = {"submission_id": "key", "own": {"parking": 4}}
    first = send(client, **given)
    again = send(client, **given)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    form = client.post("/submitSurvey", {**VALID, "submission_id": "key", "own-parking": "4"})
    assert (form.status_code, form["Idempotent-Replayed"]) == (302, "true")
    assert send(client, **{**given, "own": {"parking": 5}}).status_code == 422
    assert QuestionValue.objects.count() == 1


def test_own_values_take_one_statement_more_and_others_none(client: Client, parking: Question) -> None:
    def statements(**values: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert send(client, **values).status_code == 201
        return len(queries)

    chain.current()
    statements()  # opens the window of the address
    without = statements(taste=3)
    assert statements(own={"parking": 4, "loud": True}) == without + 1
    chain.keep(chain.CORE)
    assert statements(taste=3) == without


def test_an_erasure_keeps_own_values_as_it_keeps_the_score(client: Client, parking: Question) -> None:
    send(client, own={"parking": 4})
    retention.erase(Submission.objects.all())
    stored = Submission.objects.get()
    assert (stored.name, own_values(stored)) == ("", {"parking": 4})
