"""/jieba/ returns words, keywords and TextRank, and explains what is wrong with a request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from survey.models import AttemptWindow
from survey.models.submission import COMMENT_MAX_LENGTH
from survey.text import analysis, limit
from survey.text.views import SAMPLE
from tests.support.processes import Function


def post_json(client: Client, body: Any, **headers: Any) -> Any:
    content = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.post("/jieba/", content, content_type="application/json", **headers)


def test_without_text_the_sample_is_analysed(client: Client) -> None:
    empty = client.generic("POST", "/jieba/", b"", content_type="application/json", headers={"content-length": "0"})
    for response in (client.get("/jieba/"), client.post("/jieba/"), post_json(client, {}), empty):
        assert response.status_code == 200
        assert response["Content-Type"] == "application/json"
        result = response.json()
        assert result["words"] == analysis.segment(SAMPLE)
        assert "".join(result["words"]) == SAMPLE
        assert result["keywords"][0] == {"word": "Serverless", "weight": pytest.approx(1.0867970457181817, abs=1e-15)}
        assert result["textrank"][0] == {"word": "资源", "weight": 1.0}
        assert len(result["keywords"]) == len(result["textrank"]) == 20


def test_query_form_and_json_give_the_same_response(client: Client) -> None:
    fields = {"text": "服务员很热情,火锅味道好 50% a+b 😋", "topK": "2"}
    urlencoded = "text=%E6%9C%8D%E5%8A%A1%E5%91%98%E5%BE%88%E7%83%AD%E6%83%85,%E7%81%AB%E9%94%85%E5%91%B3%E9%81%93"
    urlencoded += "%E5%A5%BD+50%25+a%2Bb+%F0%9F%98%8B&topK=2"
    responses = [
        client.get("/jieba/", fields),
        client.post("/jieba/", fields),
        client.post("/jieba/", urlencoded, content_type="application/x-www-form-urlencoded"),
        post_json(client, {**fields, "topK": 2}),
        post_json(client, fields),
    ]
    for response in responses:
        assert response.json() == responses[0].json()
        assert "".join(response.json()["words"]) == fields["text"]
        assert len(response.json()["keywords"]) == 2


def test_the_response_has_chinese_instead_of_escapes(client: Client) -> None:
    assert "服务员" in client.get("/jieba/", {"text": "服务员"}).content.decode()


@pytest.mark.parametrize("text", ["", " ", "\x00", "😋", "\r\n"])
def test_a_text_without_words_is_valid(client: Client, text: str) -> None:
    response = post_json(client, {"text": text})
    assert response.status_code == 200
    assert "".join(response.json()["words"]) == text
    assert response.json()["keywords"] == []


@pytest.mark.django_db  # long texts are counted
def test_20_000_characters_are_analysed_and_one_more_is_413(client: Client) -> None:
    assert "".join(post_json(client, {"text": "好" * 20_000}).json()["words"]) == "好" * 20_000
    for response in (post_json(client, {"text": "好" * 20_001}), client.post("/jieba/", {"text": "好" * 20_001})):
        assert response.status_code == 413
        assert "20,001 characters: at most 20,000" in response.content.decode()


@pytest.mark.parametrize("top_k", ["0", "101", "-1", "ten", "", "1.5", "1_0", "５", "9" * 5000, " 5"])
def test_a_top_k_that_is_no_number_from_1_to_100_is_400(client: Client, top_k: str) -> None:
    for response in (client.get("/jieba/", {"topK": top_k}), client.post("/jieba/", {"topK": top_k})):
        assert response.status_code == 400
        assert response.content.decode() == "topK must be a whole number from 1 to 100."


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"topK": True}, "topK must be a whole number from 1 to 100."),
        ({"topK": None}, "topK must be a whole number from 1 to 100."),
        ({"topK": 2.5}, "topK must be a whole number from 1 to 100."),
        ({"topK": [5]}, "topK must be a whole number from 1 to 100."),
        ({"text": 5}, "text must be a string."),
        ({"text": None}, "text must be a string."),
        ({"txt": "好"}, "There is no field 'txt': the fields are text and topK."),
        (["text"], "The body must be a JSON object."),
        ("{", "The body is not valid JSON"),
        (b"\xff", "The body is not valid UTF-8"),
        (r'{"text": "\ud800"}', "half of a surrogate pair"),
    ],
)
def test_an_invalid_json_body_is_a_problem_with_the_reason(client: Client, body: Any, complaint: str) -> None:
    response = post_json(client, body)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert complaint in response.json()["detail"]


def test_another_media_type_is_415_and_another_method_405(client: Client) -> None:
    response = client.post("/jieba/", "<text/>", content_type="text/xml")
    assert response.status_code == 415
    assert client.put("/jieba/").status_code == 405
    assert client.head("/jieba/").status_code == 200


@pytest.mark.django_db
def test_an_address_sends_so_many_long_texts_and_any_number_of_others(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit, "LONG_TEXTS_PER_WINDOW", 2)
    long = {"text": "好" * (limit.LONG_TEXT + 1)}
    answers = [post_json(client, long, REMOTE_ADDR="192.0.2.1") for _time in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Content-Type"] == "application/problem+json"
    assert 0 < int(answers[-1]["Retry-After"]) <= 900
    assert post_json(client, long, REMOTE_ADDR="192.0.2.2").status_code == 200
    assert client.post("/jieba/", long, REMOTE_ADDR="192.0.2.1").status_code == 429
    counted = AttemptWindow.objects.count()
    for _time in range(3):
        assert post_json(client, {"text": "好" * limit.LONG_TEXT}, REMOTE_ADDR="192.0.2.1").status_code == 200
        assert post_json(client, long, REMOTE_ADDR="").status_code == 200
    assert AttemptWindow.objects.count() == counted


def test_a_guests_longest_comment_is_no_long_text() -> None:
    assert limit.LONG_TEXT >= COMMENT_MAX_LENGTH


def test_a_long_text_is_analysed_while_the_database_is_away(tmp_path: Path, built_lexicon: None) -> None:
    away = {"MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": "1", "MYSQL_CONNECT_SECONDS": "0"}
    event = {
        "httpMethod": "POST",
        "path": "/jieba/",
        "headers": {"host": "survey.example.com", "content-type": "application/json"},
        "queryString": {},
        "requestContext": {"serviceId": "x", "sourceIp": "192.0.2.1"},
        "body": json.dumps({"text": "好" * (limit.LONG_TEXT + 1)}),
    }
    with Function(tmp_path, **away) as function:
        answered = function.start().handle(event)
        log = function.log.read_text()
    assert answered["statusCode"] == 200
    assert "text.not_counted" in log
