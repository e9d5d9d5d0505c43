"""Submissions that arrive as events: direct invocations, and messages of CKafka."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError

import index
from survey.guest import services
from survey.models import OutgoingMail, Submission
from tests.support.gateways import GATEWAYS, REGISTRY, HttpRequest, Setting, sample

pytestmark = pytest.mark.django_db(transaction=True)  # the handler closes its connection

VALID = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}
HANDLER = "survey.guest.events:submit"


@pytest.fixture(autouse=True)
def handlers(bridge_setting: Setting) -> None:
    bridge_setting("EVENT_HANDLERS", f"cos=no.such:module; submission={HANDLER}; ckafka={HANDLER}")


def invoke(event: Any, request_id: str = "r-1") -> Any:
    """Return the result as the platform's JSON carries it."""
    return json.loads(json.dumps(index.main_handler(event, {"request_id": request_id})))


def messages(*bodies: Any) -> dict[str, Any]:
    return {
        "Records": [
            {"Ckafka": {"topic": "visits", "partition": 1, "offset": offset, "msgKey": "", "msgBody": body}}
            for offset, body in enumerate(bodies)
        ]
    }


def test_a_direct_invocation_is_stored_as_the_api_stores_it() -> None:
    result = invoke({**VALID, "email": "tom@example.com"})
    submission = Submission.objects.get()
    assert result.pop("erase_token")
    assert result == {"status": 201, "id": submission.pk, "reference": submission.reference}
    assert (submission.name, submission.phone, submission.satisfaction) == ("Tom", "1234567890", 5)
    assert OutgoingMail.objects.get().recipient == "tom@example.com"


@pytest.mark.parametrize("values", [{"satisfaction": 9}, {"phone": "12"}, {"coment": "a typing mistake"}])
def test_a_wrong_value_is_named_in_the_result_and_nothing_is_stored(values: dict[str, Any]) -> None:
    result = invoke({**VALID, **values})
    assert result["status"] == 400
    assert list(result["errors"]) == list(values)
    assert not Submission.objects.exists()


def test_an_invocation_that_the_platform_repeats_is_stored_once() -> None:
    first = invoke(VALID, "r-1")
    assert invoke(VALID, "r-1") == first
    assert invoke(VALID, "r-2") != first
    assert Submission.objects.count() == 2


def test_a_callers_key_counts_across_invocations() -> None:
    event = {**VALID, "submission_id": "0123456789"}
    assert invoke(event, "r-1") == invoke(event, "r-2")
    assert invoke({**event, "satisfaction": 1}, "r-3")["status"] == 422
    assert Submission.objects.count() == 1


def test_no_rate_limit_applies_where_no_address_is_known(settings: LazySettings) -> None:
    settings.SUBMISSIONS_PER_HOUR = 1
    for number in range(3):
        assert invoke(VALID, f"r-{number}")["status"] == 201


def test_an_invocation_fails_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError(2003, "away")

    monkeypatch.setattr(services, "insert", away)
    with pytest.raises(OperationalError):
        invoke(VALID)


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_no_http_request_reaches_the_handler(gateway: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*args: object) -> None:
        raise AssertionError("the handler was called")

    monkeypatch.setattr("survey.guest.events.submit", reached)
    body = json.dumps(VALID).encode()
    event = REGISTRY[gateway].build_event(HttpRequest("POST", "/", [("Content-Type", "application/json")], body))
    event = json.loads(event) if isinstance(event, bytes) else event
    result = index.main_handler({**event, **VALID}, {})
    assert result["statusCode"] != 201
    for key in index.HTTP_KEYS & event.keys():  # a part of it is a request, or an event that nothing handles
        with suppress(index.UnknownEvent):
            assert "statusCode" in index.main_handler({key: event[key], **VALID}, {})
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    "event", [{"Records": []}, {"Records": [{"eventSource": "aws:s3"}]}, {"source": "aws.events"}, {}]
)
def test_an_event_with_a_source_is_no_direct_invocation(event: dict[str, Any]) -> None:
    with pytest.raises(index.UnknownEvent):
        invoke(event)


def test_each_message_is_stored_and_a_bad_one_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    good = json.dumps({**VALID, "comment": "汤是凉的"}, ensure_ascii=False)
    bad = [
        "Hello from Ckafka!",
        "[]",
        "",
        None,
        json.dumps({**VALID, "phone": "12", "王芳": 1}),
        "x" * 1_100_000,
        "\ud800",
    ]
    with caplog.at_level(logging.ERROR):
        result = invoke(messages(good, *bad, json.dumps(VALID)))
    assert result == {"stored": 2, "refused": len(bad)}
    assert sorted(Submission.objects.values_list("comment", flat=True)) == ["", "汤是凉的"]
    refused = [record for record in caplog.records if record.getMessage() == "message.refused"]
    assert [record.offset for record in refused] == list(range(1, len(bad) + 1))  # type: ignore[attr-defined]
    assert [record.fields for record in refused] == ["", "", "", "", "phone", "", ""]  # type: ignore[attr-defined]
    assert "王芳" not in caplog.text


def test_messages_that_come_again_are_stored_once() -> None:
    event = messages(json.dumps(VALID), json.dumps(VALID))
    for _attempt in range(2):
        assert invoke(event) == {"stored": 2, "refused": 0}
    assert Submission.objects.count() == 2


def test_the_platforms_sample_is_refused_and_not_repeated() -> None:
    assert invoke(sample("ckafka")) == {"stored": 0, "refused": 1}


def test_a_message_that_raises_stops_no_other_and_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    create = services.submission_create

    def fail(submission: Submission, **rest: Any) -> services.Submitted:
        if submission.satisfaction == 1:
            raise ZeroDivisionError
        return create(submission, **rest)

    monkeypatch.setattr(services, "submission_create", fail)
    with pytest.raises(ZeroDivisionError):
        invoke(messages(*(json.dumps({**VALID, "satisfaction": score}) for score in (5, 1, 4))))
    assert sorted(Submission.objects.values_list("satisfaction", flat=True)) == [4, 5]


def test_while_the_database_is_away_the_messages_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[int] = []

    def away(*args: object, **kwargs: object) -> None:
        attempts.append(1)
        raise OperationalError(2003, "away")

    monkeypatch.setattr(services, "submission_create", away)
    with pytest.raises(OperationalError):
        invoke(messages(json.dumps(VALID), json.dumps(VALID)))
    assert len(attempts) == 1  # each further one would wait for the database too
