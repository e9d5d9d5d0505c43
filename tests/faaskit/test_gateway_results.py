"""How each gateway reads the result that a function returned."""

from __future__ import annotations

import json

import pytest

from faaskit.gateways import tencent
from faaskit.gateways.invocation import Invocation
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.result import HttpResponse
from tests.support.local_servers import ROOT

TENCENT = ("function-url", "apigw")


def read(gateway: str, result: object, event: dict | None = None) -> HttpResponse:
    return GATEWAYS[gateway].respond(Invocation(output=json.dumps(result).encode()), event or {})


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_plain_result_passes_through_every_gateway(gateway):
    result = {"statusCode": 201, "headers": {"X-Name": "王"}, "body": "芳", "isBase64Encoded": False}
    response = read(gateway, result)
    assert response == HttpResponse(201, [("X-Name", "王")], "芳".encode())


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_base64_is_decoded_but_not_by_a_function_url(gateway):
    response = read(gateway, {"statusCode": 200, "headers": {}, "body": "aGk=", "isBase64Encoded": True})
    assert response.body == (b"aGk=" if gateway == "function-url" else b"hi")
    assert bool(response.note) == (gateway == "function-url")


@pytest.mark.parametrize("gateway", ["function-url", "apigw", "fc"])
def test_a_list_repeats_its_header(gateway):
    response = read(gateway, {"statusCode": 200, "headers": {"Set-Cookie": ["a=1", "b=2"]}, "body": ""})
    assert response.headers == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]


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
    response = read(gateway, {"name": "王"})
    assert (response.status, json.loads(response.body)) == (200, {"name": "王"})


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
def test_a_malformed_result_gives_the_gateways_own_error_and_a_note(gateway, result):
    response = read(gateway, result)
    assert response.note.startswith("the result is malformed: ")
    if gateway in TENCENT:
        assert response.status == 403
        assert json.loads(response.body) == {"errno": 403, "error": tencent.INVALID_RESPONSE}
    else:
        assert response.status == (500 if gateway == "aws-http" else 502)


@pytest.mark.parametrize("gateway", ["function-url", "apigw", "aws-rest", "alb"])
@pytest.mark.parametrize("result", [None, "text", [1], {}])
def test_a_value_without_a_status_is_malformed(gateway, result):
    assert read(gateway, result).status in (403, 502)


def test_an_unknown_key_is_malformed_behind_aws_rest():
    assert read("aws-rest", {"statusCode": 200, "statusDescription": "200 OK", "body": ""}).status == 502


@pytest.mark.parametrize("gateway", ["apigw", "aws-rest", "aws-http", "alb", "fc"])
def test_invalid_base64_is_malformed(gateway):
    assert read(gateway, {"statusCode": 200, "body": "no!", "isBase64Encoded": True}).status in (403, 500, 502)


@pytest.mark.parametrize("code", [406, 407, 430, 433, 434, 439, 443])
def test_tencents_clients_get_the_platforms_code_and_the_request_id(code):
    invocation = Invocation(code=code, error="why")
    for gateway in TENCENT:
        response = GATEWAYS[gateway].respond(invocation, {})
        assert response.status == code
        assert json.loads(response.body) == {
            "errorCode": code,
            "errorMessage": "why",
            "requestId": invocation.request_id,
            "statusCode": code,
        }


@pytest.mark.parametrize("gateway", ["aws-rest", "aws-http", "alb", "fc"])
def test_other_gateways_hide_the_reason(gateway):
    response = GATEWAYS[gateway].respond(Invocation(code=430, error="secret"), {})
    assert response.status == (500 if gateway == "aws-http" else 502)
    assert b"secret" not in response.body
    assert GATEWAYS[gateway].respond(Invocation(code=406), {}).status == 413


def test_content_length_is_the_length_of_the_body():
    response = HttpResponse(200, [("Content-Length", "999"), ("Connection", "close"), ("X", "王")], b"four")
    assert response.wire_headers("GET") == [("X", "王".encode().decode("latin-1")), ("Content-Length", "4")]
    assert response.wire_body("GET") == b"four"
    assert ("Content-Length", "999") in response.wire_headers("HEAD")
    assert response.wire_body("HEAD") == b""


@pytest.mark.parametrize("status", [204, 304])
def test_204_and_304_are_sent_without_a_body(status):
    response = HttpResponse(status, [], b"body")
    assert (response.wire_headers("GET"), response.wire_body("GET")) == ([], b"")


def test_every_gateway_is_documented():
    table = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8").partition("## What each gateway does")[2]
    assert [name for name in GATEWAYS if f"\n| `{name}` |" not in table] == []
