"""Text or base64, limits, and errors: what the client gets and what the log says."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

import index
from faaskit.gateways.registry import GATEWAYS as REGISTRY
from faaskit.gateways.request import HttpRequest
from tests.support.gateways import BINARY, GATEWAYS, HOST, Recorder, Setting, received, sample, send

MEGABYTE = 1024 * 1024


def bridged(body: bytes, content_type: str | None, *headers: tuple[str, str], gateway: str = "aws-rest") -> Any:
    own = [] if content_type is None else [("Content-Type", content_type)]
    application = Recorder(body, headers=[*own, *headers])
    return index.handle_request(
        application, REGISTRY[gateway].build_event(HttpRequest(headers=[HOST])), {"request_id": "r-1"}
    )


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html; charset=utf-8",
        "Text/HTML",
        "application/json",
        "application/problem+json",
        "application/vnd.api+json; x=1",
        "application/atom+xml",
        "application/xml",
        "application/javascript",
        "application/x-www-form-urlencoded",
        "image/svg+xml",
        "application/sql; charset=UTF-8",
    ],
)
def test_trap_10_and_12_text_types_go_as_text_whatever_their_case(content_type: str) -> None:
    answer = bridged("王芳".encode(), content_type)
    assert (answer["isBase64Encoded"], answer["body"]) == (False, "王芳")


@pytest.mark.parametrize("content_type", ["image/png", "application/octet-stream", "application/pdf", "font/woff2"])
def test_other_types_go_as_base64(content_type: str) -> None:
    assert bridged(b"plain", content_type)["isBase64Encoded"]


def test_trap_10_an_encoded_body_goes_as_base64() -> None:
    assert bridged(b"x", "text/plain", ("Content-Encoding", "br"))["isBase64Encoded"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain; charset=utf-8", b"\xff\xfe"),
        ("text/csv; charset=gbk", "王芳".encode("gbk")),
        ("text/plain; charset=us-ascii", "é".encode()),
        ("text/plain; charset=unknown-9", b"x"),
        ("text/plain; charset=iso-8859-1", "é".encode("latin-1")),
    ],
)
def test_trap_11_a_body_that_is_not_valid_utf8_in_its_charset_keeps_its_bytes(content_type: str, body: bytes) -> None:
    for gateway in BINARY:
        answer = bridged(body, content_type, gateway=gateway)
        assert answer["isBase64Encoded"]
        assert received(answer).body == body


def test_text_mime_types_adds_types(bridge_setting: Setting) -> None:
    assert bridged(b"x", "application/toml")["isBase64Encoded"]
    bridge_setting("TEXT_MIME_TYPES", "application/toml, application/yaml")
    assert not bridged(b"x", "application/toml; v=1")["isBase64Encoded"]


@pytest.mark.parametrize(
    ("gateway", "size", "status"),
    [
        ("aws-rest", 4 * MEGABYTE, 200),
        ("aws-rest", 5 * MEGABYTE, 502),  # base64 makes 6.7 MB of it
        ("fc", 6 * MEGABYTE, 502),
        ("alb", 700_000, 200),
        ("alb-multi-value", MEGABYTE, 502),
    ],
)
def test_an_answer_over_the_limit_is_a_logged_502(
    gateway: str, size: int, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer = bridged(b"\x00" * size, "image/png", gateway=gateway)
    assert answer["statusCode"] == status
    if status == 502:
        assert "image/png" in answer["body"]
        assert "request.refused request_id=r-1 502" in caplog.text


def test_text_just_under_the_limit_passes_and_json_escapes_count() -> None:
    assert bridged(b"x" * (6 * MEGABYTE - 1000), "text/plain")["statusCode"] == 200
    assert bridged(b"x" * (6 * MEGABYTE), "text/plain")["statusCode"] == 502
    assert bridged(b'"' * (4 * MEGABYTE), "text/plain")["statusCode"] == 502
    face = "\U0001f600".encode()  # JSON makes twelve bytes of its four
    assert bridged(face * (MEGABYTE // 2 - 100), "text/plain")["statusCode"] == 200
    assert bridged(face * (MEGABYTE // 2 + 10), "text/plain")["statusCode"] == 502


def test_headers_count_too() -> None:
    headers = [("Content-Type", "text/plain"), *((f"X-{number}", "x" * 1000) for number in range(1500))]
    assert send(Recorder(headers=headers), "alb", HttpRequest(headers=[HOST])).status == 502


@pytest.mark.parametrize(("gateway", "limit"), [("aws-rest", 6 * MEGABYTE), ("alb", MEGABYTE)])
def test_a_few_long_header_values_count_too(gateway: str, limit: int) -> None:
    for values, status in (
        (["x" * limit], 502),
        (["x" * (limit - 1000)], 200),
        (["x" * (limit // 45)] * 46, 502),
        (["\xe9" * (limit // 6)], 502),
        (['"' * (limit // 2)], 502),
        ([], 200),
    ):
        headers = [("Content-Type", "text/plain"), *((f"X-{number}", value) for number, value in enumerate(values))]
        assert send(Recorder(headers=headers), gateway, HttpRequest(headers=[HOST])).status == status


@pytest.mark.parametrize(("method", "status"), [("GET", 502), ("HEAD", 200)])
def test_what_is_written_over_the_limit_is_not_kept(method: str, status: int) -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        for _ in range(60):
            write(b"x" * MEGABYTE)
        kept.append(tracemalloc.get_traced_memory()[0])
        return [b"the end"]

    kept: list[int] = []
    tracemalloc.start()
    try:
        answer = index.handle_request(application, REGISTRY["aws-rest"].build_event(HttpRequest(method)), {})
    finally:
        tracemalloc.stop()
    assert answer["statusCode"] == status
    assert kept[0] < 8 * MEGABYTE


def test_a_body_that_was_cut_off_is_said_to_be_too_large(caplog: pytest.LogCaptureFixture) -> None:
    chinese = "\u738b".encode() * (4 * MEGABYTE)
    answer = bridged(chinese, "text/plain; charset=utf-8", gateway="function-url")
    assert answer["statusCode"] == 502
    assert "A response of text/plain is over 6291456 bytes" in answer["body"]


def test_text_with_a_byte_order_mark_is_text_behind_a_function_url() -> None:
    table = "\ufeff\u540d,b\n".encode()
    for content_type in ("text/csv; charset=utf-8-sig", "text/csv; charset=", "text/csv; charset=UTF-8"):
        assert received(bridged(table, content_type, gateway="function-url")).body == table


def test_identity_is_no_encoding_and_another_is_named() -> None:
    def coded(coding: str) -> Any:
        return Recorder(headers=[("Content-Type", "text/plain"), ("Content-Encoding", coding)])

    assert send(coded("identity"), "function-url", HttpRequest(headers=[HOST])).body == b"ok"
    assert b"content coding: br" in send(coded("br"), "function-url", HttpRequest(headers=[HOST])).body


def test_an_endless_body_is_given_up_and_closed() -> None:
    taken = 0

    def application(environ: Any, start_response: Any) -> Any:
        nonlocal taken
        start_response("200 OK", [("Content-Type", "text/plain")])
        while True:
            taken += 1
            yield b"x" * MEGABYTE

    assert index.handle_request(application, sample("aws-rest"), {})["statusCode"] == 502
    assert taken == 7


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_an_application_that_raises_is_500_with_the_request_id_and_no_traceback(
    gateway: str, caplog: pytest.LogCaptureFixture
) -> None:
    def application(environ: Any, start_response: Any) -> Any:
        raise RuntimeError("secret detail")

    client = send(application, gateway, HttpRequest(headers=[HOST]))
    assert client.status == 500
    assert client.header("x-request-id") == ["r-1"]
    assert b"r-1" in client.body
    assert b"secret" not in client.body
    assert b"Traceback" not in client.body
    assert "application.failed request_id=r-1" in caplog.text
    assert "RuntimeError: secret detail" in caplog.text


@pytest.mark.parametrize(
    ("headers", "is_json"),
    [
        ([("Accept", "application/json")], True),
        ([("Content-Type", "application/json")], True),
        ([("Accept", "text/html,application/json;q=0.9")], False),
        ([], False),
    ],
)
def test_errors_are_problem_json_where_json_was_asked_for(headers: list[tuple[str, str]], is_json: bool) -> None:
    client = send(lambda environ, start_response: 1 / 0, "apigw", HttpRequest(headers=[HOST, *headers]))  # type: ignore[arg-type,return-value]
    assert client.header("content-type") == ["application/problem+json" if is_json else "text/plain; charset=utf-8"]
    if is_json:
        assert json.loads(client.body)["request_id"] == "r-1"


@pytest.mark.parametrize("body", ["not base64!", "aGVs!bG8="])  # Python would skip the exclamation mark
def test_a_body_that_is_not_base64_is_400(body: str) -> None:
    event = sample("aws-http") | {"body": body}
    answer = index.handle_request(Recorder(), event, {})
    assert answer["statusCode"] == 400
    assert "base64" in answer["body"]


@pytest.mark.parametrize("said", ["false", "true", False, True, None])
def test_is_base64_encoded_may_be_a_word(said: object) -> None:
    recorder = Recorder()
    index.handle_request(recorder, sample("fc-apigateway") | {"body": "YWJj", "isBase64Encoded": said}, {})
    assert recorder.received == (b"abc" if said in ("true", True) else b"YWJj")


def test_the_event_the_context_and_the_answer_are_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    event = sample("function-url-real") | {"body": "name=PERSONAL", "queryString": {"q": "PERSONAL"}}
    context = sample("context") | {"environment": '{"SECRET_KEY": "PERSONAL"}'}

    def failing(environ: Any, start_response: Any) -> Any:
        raise RuntimeError("no")

    index.handle_request(failing, event, context)
    index.handle_request(Recorder(b"PERSONAL", headers=[("Content-Type", "image/png")]), event, context)
    assert caplog.text
    assert "PERSONAL" not in caplog.text


@pytest.mark.parametrize(
    ("context", "number"),
    [
        ({"request_id": "scf-1"}, "scf-1"),
        (type("AwsContext", (), {"aws_request_id": "aws-1"})(), "aws-1"),
        (type("FcContext", (), {"request_id": "fc-1"})(), "fc-1"),
        ({}, "c3b3a3e4-b67f-11f0-9795-525400d4c756"),
    ],
)
def test_the_request_id_is_the_platforms(context: object, number: str) -> None:
    answer = index.handle_request(lambda environ, start_response: 1 / 0, sample("function-url-real"), context)  # type: ignore[arg-type,return-value]
    assert answer["headers"]["X-Request-Id"] == number


def test_trap_23_an_application_that_cannot_be_imported_is_500_with_a_trace(
    failing_import: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert index.main_handler(sample("apigw"), {})["statusCode"] == 500
    assert "ModuleNotFoundError: No module named 'no_such_module'" in caplog.text
