"""What each gateway makes of the returned value."""

from __future__ import annotations

import json

import pytest

from faaskit.gateways import tencent
from faaskit.gateways.invocation import Invocation
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.result import HttpResponse

TENCENT = ("function-url", "apigw")


def read(gateway: str, result: object, event: dict | None = None) -> HttpResponse:
    return GATEWAYS[gateway].respond(Invocation(output=json.dumps(result).encode()), event or {})


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_plain_answer_passes_through_every_gateway(gateway):
    result = {"statusCode": 201, "headers": {"X-Name": "王"}, "body": "芳", "isBase64Encoded": False}
    answer = read(gateway, result)
    assert (answer.status, answer.headers, answer.body.decode(), answer.note) == (201, [("X-Name", "王")], "芳", "")


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_base64_is_decoded_but_not_by_a_function_url(gateway):
    answer = read(gateway, {"statusCode": 200, "headers": {}, "body": "aGk=", "isBase64Encoded": True})
    assert answer.body == (b"aGk=" if gateway == "function-url" else b"hi")
    assert bool(answer.note) == (gateway == "function-url")


@pytest.mark.parametrize("gateway", ["function-url", "apigw", "fc"])
def test_a_list_repeats_its_header(gateway):
    answer = read(gateway, {"statusCode": 200, "headers": {"Set-Cookie": ["a=1", "b=2"]}, "body": ""})
    assert answer.headers == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]


def test_aws_rest_takes_both_maps_and_the_multiple_one_counts_first():
    result = {
        "statusCode": "200",
        "headers": {"X": "1", "Y": "2"},
        "multiValueHeaders": {"x": ["3", "4"]},
        "body": None,
    }
    assert read("aws-rest", result).headers == [("Y", "2"), ("x", "3"), ("x", "4")]


def test_aws_http_sets_the_cookies_of_the_list():
    assert read("aws-http", {"statusCode": 200, "cookies": ["a=1", "b=2"]}).headers == [
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
    ]


@pytest.mark.parametrize("gateway", ["aws-http", "fc"])
def test_a_value_without_status_code_is_itself_the_body(gateway):
    answer = read(gateway, {"name": "王"})
    assert (answer.status, json.loads(answer.body)) == (200, {"name": "王"})


def test_the_load_balancer_reads_only_the_kind_of_map_that_the_event_had():
    result = {"statusCode": 200, "headers": {"A": "1"}, "multiValueHeaders": {"B": ["2", "3"]}, "body": ""}
    assert read("alb", result, {"headers": {}}).headers == [("A", "1")]
    assert read("alb", result, {"multiValueHeaders": {}}).headers == [("B", "2"), ("B", "3")]


MALFORMED = [
    {"statusCode": "two hundred", "body": ""},
    {"statusCode": True, "body": ""},
    {"statusCode": 99, "body": ""},
    {"statusCode": 200, "headers": ["a"], "body": ""},
    {"statusCode": 200, "headers": {"a": {"b": "c"}}, "body": ""},
    {"statusCode": 200, "headers": {"a": "line\nbreak"}, "body": ""},
    {"statusCode": 200, "body": {"a": 1}},
]


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("result", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_value_gives_the_gateways_own_error_and_a_note(gateway, result):
    answer = read(gateway, result)
    assert answer.note.startswith("the result is malformed: ")
    if gateway in TENCENT:
        assert answer.status == 403
        assert json.loads(answer.body) == {"errno": 403, "error": tencent.INVALID_RESPONSE}
    else:
        assert answer.status == (500 if gateway == "aws-http" else 502)


@pytest.mark.parametrize("gateway", ["function-url", "apigw", "aws-rest", "alb"])
@pytest.mark.parametrize("result", [None, "text", [1], {}])
def test_a_value_that_is_no_answer_at_all_is_malformed(gateway, result):
    assert read(gateway, result).status in (403, 502)


def test_a_key_that_aws_rest_does_not_know_breaks_the_answer():
    assert read("aws-rest", {"statusCode": 200, "statusDescription": "200 OK", "body": ""}).status == 502


@pytest.mark.parametrize("gateway", ["apigw", "aws-rest", "aws-http", "alb", "fc"])
def test_invalid_base64_is_malformed(gateway):
    assert read(gateway, {"statusCode": 200, "body": "no!", "isBase64Encoded": True}).status in (403, 500, 502)


@pytest.mark.parametrize("code", [406, 407, 430, 433, 434, 439, 443])
def test_tencents_clients_get_the_platforms_code_and_the_request_id(code):
    invocation = Invocation(code=code, error="why")
    for gateway in TENCENT:
        answer = GATEWAYS[gateway].respond(invocation, {})
        assert answer.status == code
        assert json.loads(answer.body) == {
            "errorCode": code,
            "errorMessage": "why",
            "requestId": invocation.request_id,
            "statusCode": code,
        }


@pytest.mark.parametrize("gateway", ["aws-rest", "aws-http", "alb", "fc"])
def test_the_others_tell_nothing_of_the_reason(gateway):
    answer = GATEWAYS[gateway].respond(Invocation(code=430, error="secret"), {})
    assert answer.status == (500 if gateway == "aws-http" else 502)
    assert b"secret" not in answer.body
    assert GATEWAYS[gateway].respond(Invocation(code=406), {}).status == 413


def test_the_length_on_the_wire_is_the_real_one():
    answer = HttpResponse(200, [("Content-Length", "999"), ("Connection", "close"), ("X", "王")], b"four")
    assert answer.wire_headers("GET") == [("X", "王".encode().decode("latin-1")), ("Content-Length", "4")]
    assert answer.wire_body("GET") == b"four"
    assert ("Content-Length", "999") in answer.wire_headers("HEAD")
    assert answer.wire_body("HEAD") == b""


@pytest.mark.parametrize("status", [204, 304])
def test_what_has_no_body_is_sent_none(status):
    answer = HttpResponse(status, [], b"body")
    assert (answer.wire_headers("GET"), answer.wire_body("GET")) == ([], b"")
