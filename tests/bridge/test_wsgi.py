"""PEP 3333 to the letter, and the traps other bridges fell into. `trap N` counts as in docs/bridge.md."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import index
from faaskit.gateways.registry import GATEWAYS as REGISTRY
from faaskit.gateways.request import HttpRequest
from tests.support.gateways import GATEWAYS, HOST, Recorder, Setting, received, sample, seen, send

OK = [("Content-Type", "text/plain")]
every_gateway = pytest.mark.parametrize("gateway", GATEWAYS)


def answer(application: Callable[..., Any], gateway: str = "aws-rest", **request: Any) -> Any:
    return received(
        index.handle_request(application, REGISTRY[gateway].build_event(HttpRequest(**request)), {"request_id": "r-1"})
    )


class Closing:
    """An iterable that knows whether it was closed."""

    def __init__(self, chunks: Iterable[Any]) -> None:
        self.chunks, self.closed = chunks, 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.chunks)

    def close(self) -> None:
        self.closed += 1


def test_trap_17_the_iterable_is_closed_once_on_success_and_on_error() -> None:
    def failing() -> Iterator[bytes]:
        yield b"a"
        raise ValueError("in the middle")

    for chunks, status in (([b"a", b"b"], 200), (failing(), 500)):
        iterable = Closing(chunks)

        def application(environ: Any, start_response: Any, iterable: Closing = iterable) -> Closing:
            start_response("200 OK", OK)
            return iterable

        assert answer(application).status == status
        assert iterable.closed == 1


def test_a_generator_may_call_start_response_when_first_asked() -> None:
    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", OK)
        yield b"one "
        yield b""
        yield b"two"

    assert answer(application).body == b"one two"


def test_write_comes_before_the_iterable() -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", OK)
        write(b"written ")
        return [b"returned"]

    assert answer(application).body == b"written returned"


def test_trap_18_exc_info_before_the_body_replaces_the_headers() -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X-Old", "1")])
        try:
            environ["no such key"]
        except KeyError:
            start_response("503 Service Unavailable", OK, sys.exc_info())
        return [b"error page"]

    client = answer(application)
    assert (client.status, client.body, client.header("x-old")) == (503, b"error page", [])


def test_exc_info_after_the_body_began_is_raised_again() -> None:
    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", OK)
        yield b"begun"
        try:
            environ["no such key"]
        except KeyError:
            start_response("503 Service Unavailable", OK, sys.exc_info())

    assert answer(application).status == 500


def test_what_no_application_may_do_is_500(caplog: pytest.LogCaptureFixture) -> None:
    def twice(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", OK)
        start_response("200 OK", OK)
        return []

    def none(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", OK)

    def never(environ: Any, start_response: Any) -> list[bytes]:
        return [b"x"]

    def text(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", OK)
        return ["text"]

    def line_break(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X-A", "a\r\nSet-Cookie: b=1")])
        return []

    def leaving(environ: Any, start_response: Any) -> list[bytes]:
        sys.exit(3)

    def cancelled(environ: Any, start_response: Any) -> list[bytes]:
        raise asyncio.CancelledError

    def late(environ: Any, start_response: Any) -> Iterator[bytes]:
        yield b"begun"
        start_response("200 OK", OK)
        yield b"too late"

    for application in (twice, none, never, text, line_break, leaving, cancelled, late):
        caplog.clear()
        assert answer(application).status == 500, application
        assert "application.failed request_id=r-1" in caplog.text


@pytest.mark.parametrize(
    "status",
    [
        "99 X",
        "20 OK",
        "-12 x",
        "2000 X",
        "200 OK\r\nEvil: 1",
        "\u0662\u0660\u0660 OK",
        b"200 OK",
        "200 " + "O" * 201,
        "",
    ],
)
def test_a_status_that_is_none_is_500(status: Any) -> None:
    assert answer(Recorder(status=status), gateway="alb").status == 500


@pytest.mark.parametrize("name", ["X" * 201, "X\r\nEvil", "", "a b", "X:", "X-\xe9", b"X"])
def test_a_header_name_that_is_none_is_500(name: Any) -> None:
    assert answer(Recorder(headers=[(name, "1")])).status == 500


@pytest.mark.parametrize("value", ["a\x00", "a\x0b", "a\x7f", "\u738b", b"a"])
def test_a_header_value_that_is_none_is_500(value: Any) -> None:
    assert answer(Recorder(headers=[("X-A", value)])).status == 500


@pytest.mark.parametrize("lengths", [["2"], ["7"], ["-6"], ["six"], ["6", "6"]])
def test_a_content_length_that_is_not_the_bodys_is_500(lengths: list[str], caplog: pytest.LogCaptureFixture) -> None:
    headers = [*OK, *(("Content-length", length) for length in lengths)]
    client = answer(Recorder(b"abcdef", headers=headers))
    assert (client.status, client.header("content-length")) == (500, [])
    assert "The Content-Length is not the length of the body." in caplog.text


@pytest.mark.parametrize(
    ("method", "status", "body", "sent"),
    [
        ("GET", "200 OK", b"abcdef", ["6"]),
        ("HEAD", "200 OK", b"", ["6"]),
        ("GET", "304 Not Modified", b"", ["6"]),
        ("GET", "204 No Content", b"abcdef", []),
    ],
)
def test_a_content_length_goes_out_where_it_says_the_truth(
    method: str, status: str, body: bytes, sent: list[str]
) -> None:
    client = answer(Recorder(body, status, [*OK, ("Content-Length", "6")]), method=method)
    assert (client.status, client.header("content-length")) == (int(status[:3]), sent)


def test_nothing_that_was_written_may_still_be_replaced() -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", OK)
        write(b"")
        try:
            environ["no such key"]
        except KeyError:
            start_response("503 Service Unavailable", OK, sys.exc_info())
        return [b"later"]

    assert answer(application).status == 503


def test_a_header_value_that_is_not_utf8_goes_out_as_it_is() -> None:
    headers = [("X-Name", "Jos\xe9"), ("X-Utf8", "\xe7\x8e\x8b"), ("X-Tab", "a\tb")]
    sent = answer(Recorder(headers=headers))
    assert [sent.header(name)[0] for name in ("x-name", "x-utf8", "x-tab")] == ["Jos\xe9", "\u738b", "a\tb"]


@every_gateway
def test_headers_of_a_single_connection_are_left_out(gateway: str) -> None:
    names = ["Connection", "keep-alive", "Proxy-Authenticate", "TE", "Trailer", "Transfer-Encoding", "Upgrade"]
    headers = [*OK, *((name, "x") for name in names), ("connection", "close"), ("X-Last", "y")]
    client = answer(Recorder(headers=headers), gateway=gateway)
    assert (client.status, client.headers) == (200, [*OK, ("X-Last", "y")])


@every_gateway
def test_values_go_out_without_white_space_around_them(gateway: str) -> None:
    """Django's Set-Cookie begins with a space."""
    headers = [*OK, ("X-A", " \ta b \t"), *(("Set-Cookie", f" {name}=1; Path=/") for name in "ab")]
    client = answer(Recorder(headers=headers), gateway=gateway)
    assert client.header("x-a") == ["a b"]
    assert client.header("set-cookie") == ["a=1; Path=/", "b=1; Path=/"]


@every_gateway
def test_environ_carries_event_and_context(gateway: str, bridge_setting: Setting) -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        kept.update(environ)
        start_response("200 OK", OK)
        return []

    kept: dict[str, Any] = {}
    context = {"request_id": "r-1"}
    event = REGISTRY[gateway].build_event(HttpRequest(headers=[HOST]))
    index.handle_request(application, event, context)
    assert kept["serverless.context"] is context
    assert kept["serverless.event"].get("path", kept["serverless.event"].get("rawPath")) == "/"
    assert not {"event", "context"} & set(kept)  # PEP 3333 wants strings under names without a dot
    bridge_setting("LEGACY_ENVIRON", "1")
    index.handle_request(application, event, context)
    assert kept["event"] is kept["serverless.event"]
    assert kept["context"] is context


def test_trap_1_alb_leaves_the_query_encoded_and_rest_decodes_it() -> None:
    recorder = Recorder()
    index.handle_request(recorder, sample("aws-alb-single"), {})
    assert recorder.environ["QUERY_STRING"] == "city=New%20York&plus=a%2Bb"
    index.handle_request(recorder, sample("aws-rest"), {})
    assert recorder.environ["QUERY_STRING"] == "name=a%2Bb&name=b+c&empty="


def test_trap_2_a_decoded_path_is_not_decoded_again() -> None:
    recorder = seen("aws-http", target="/100%2525")
    assert recorder.environ["PATH_INFO"] == "/100%25"


def test_tencents_path_may_be_decoded_already() -> None:
    recorder = Recorder()
    index.handle_request(recorder, {"httpMethod": "GET", "path": "/王 芳/50%25", "headers": {}}, {})
    assert recorder.text("PATH_INFO") == "/王 芳/50%25"


def test_trap_3_a_lambda_url_keeps_its_trailing_slash() -> None:
    assert seen("aws-lambda-url", target="/hello/").environ["PATH_INFO"] == "/hello/"


NOTHING = {"requestContext": None, "headers": None, "body": None, "queryString": None, "isBase64Encoded": None}


@pytest.mark.parametrize(
    "name", ["apigw", "function-url", "aws-rest", "aws-http", "aws-alb", "fc-http", "fc-apigateway"]
)
@pytest.mark.parametrize("left_out", ["null", "absent"])
def test_trap_6_what_a_console_test_leaves_out_never_raises(name: str, left_out: str) -> None:
    event = sample(name)
    for key in [*NOTHING, "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "cookies"]:
        if left_out == "null":
            event[key] = None
        else:
            event.pop(key, None)
    event.setdefault("httpMethod", "GET")
    assert received(index.handle_request(Recorder(), event, None)).status == 200


def test_trap_6_a_single_null_header_is_left_out() -> None:
    recorder = Recorder()
    index.handle_request(recorder, {"httpMethod": "GET", "path": "/", "headers": {"a": None, "b": 1, "c": "x"}}, {})
    assert [key for key in recorder.environ if key.startswith("HTTP_")] == ["HTTP_B", "HTTP_C"]


def test_trap_7_a_health_check_without_host_has_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    index.handle_request(recorder, {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/", "headers": {}}, {})
    environ = recorder.environ
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"], environ["wsgi.url_scheme"]) == ("localhost", "443", "https")


def test_trap_15_an_underscore_or_proxy_cannot_pose_as_another_header() -> None:
    forged = {
        "x-real": "1",
        "x_real": "2",
        "X_Forwarded_Proto": "http",
        "Proxy": "evil",
        "Transfer-Encoding": "chunked",
    }
    recorder = Recorder()
    index.handle_request(recorder, {"httpMethod": "GET", "path": "/", "headers": forged}, {})
    assert {k: v for k, v in recorder.environ.items() if k.startswith("HTTP_")} == {"HTTP_X_REAL": "1"}
    assert recorder.environ["wsgi.url_scheme"] == "https"


@every_gateway
def test_trap_19_header_values_are_utf8_bytes_in_latin1(gateway: str) -> None:
    assert seen(gateway, ("X-Name", "王芳")).text("HTTP_X_NAME") == "王芳"


def test_trap_19_an_undecodable_byte_of_the_path_stays() -> None:
    assert seen("aws-rest", target="/%FF").environ["PATH_INFO"] == "/\xff"


def test_trap_20_content_length_is_the_real_one_and_the_port_is_never_empty() -> None:
    assert seen("aws-rest", ("Content-Length", "999"), method="POST", body=b"abc").environ["CONTENT_LENGTH"] == "3"
    for host, name, port in (
        ("a.example:8443", "a.example", "8443"),
        ("[::1]:8000", "[::1]", "8000"),
        ("[::1]", "[::1]", "443"),
        ("A.example", "a.example", "443"),
    ):
        recorder = Recorder()
        event = {"httpMethod": "GET", "path": "/", "resource": "/", "headers": {"Host": host}}
        index.handle_request(recorder, event, {})
        assert (recorder.environ["SERVER_NAME"], recorder.environ["SERVER_PORT"]) == (name, port)


@pytest.mark.parametrize(
    "authorizer",
    [
        {"principalId": "user-7"},
        {"lambda": {"principalId": "user-7"}},
        {"claims": {"sub": "user-7"}},
        {"jwt": {"claims": {"sub": "user-7"}}},
        {"iam": {"userArn": "user-7"}},
    ],
)
def test_the_authorizers_principal_is_remote_user(authorizer: dict[str, Any]) -> None:
    recorder = Recorder()
    event = sample("aws-rest")
    event["requestContext"]["authorizer"] = authorizer
    index.handle_request(recorder, event, {})
    assert recorder.environ["REMOTE_USER"] == "user-7"


def test_trap_24_status_description_is_albs_alone_and_any_code_is_fine() -> None:
    for gateway in GATEWAYS:
        event = REGISTRY[gateway].build_event(HttpRequest(headers=[HOST]))
        result = index.handle_request(Recorder(status="299 Odd"), event, {})
        assert result["statusCode"] == 299
        assert result.get("statusDescription") == ("299 Odd" if gateway.startswith("alb") else None)


def test_each_gateway_is_answered_in_its_own_format() -> None:
    headers = [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]

    def result(name: str) -> Any:
        return index.handle_request(Recorder(headers=headers), sample(name), {})

    both = ["a=1", "b=2"]
    assert result("apigw")["headers"] == {"Content-Type": "text/plain", "Set-Cookie": both}
    assert result("function-url")["headers"] == {"Content-Type": "text/plain", "Set-Cookie": both}
    assert result("aws-rest")["multiValueHeaders"] == {"Content-Type": ["text/plain"], "Set-Cookie": both}
    assert result("aws-alb")["multiValueHeaders"] == {"Content-Type": ["text/plain"], "Set-Cookie": both}
    # An event without multi-value headers: each header stands in one of the two maps.
    plain = index.handle_request(Recorder(headers=headers), sample("aws-rest") | {"multiValueHeaders": None}, {})
    assert plain["headers"] == {"Content-Type": "text/plain"}
    assert plain["multiValueHeaders"] == {"Set-Cookie": both}
    assert result("aws-http")["headers"] == {"Content-Type": "text/plain"}
    assert result("aws-http")["cookies"] == result("aws-lambda-url")["cookies"] == both
    single = result("aws-alb-single")
    assert "multiValueHeaders" not in single
    assert single["headers"]["Set-Cookie"] == "a=1"


@pytest.mark.parametrize("lacking", ["version", "rawQueryString"])
def test_an_event_typed_by_hand_for_an_http_api_may_lack_its_version_or_its_query(lacking: str) -> None:
    event = {name: value for name, value in sample("aws-http").items() if name != lacking}
    cookies = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    assert index.handle_request(Recorder(headers=cookies), event, {})["cookies"] == ["a=1", "b=2"]


@pytest.mark.parametrize("lacking", ["resource", "apiId"])
def test_an_event_typed_by_hand_for_a_rest_api_may_lack_its_resource_or_its_id(lacking: str) -> None:
    event = sample("aws-rest")
    for place in (event, event["requestContext"]):
        place.pop(lacking, None)
    cookies = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    result = index.handle_request(Recorder(headers=cookies), event | {"multiValueHeaders": None}, {})
    assert result["multiValueHeaders"] == {"Set-Cookie": ["a=1", "b=2"]}


def test_an_application_behind_a_function_url_sees_no_accept_encoding() -> None:
    assert "HTTP_ACCEPT_ENCODING" not in seen("function-url", ("Accept-Encoding", "gzip")).environ
    assert seen("apigw", ("Accept-Encoding", "gzip")).environ["HTTP_ACCEPT_ENCODING"] == "gzip"


@pytest.mark.usefixtures("real_project")
@every_gateway
def test_the_validator_watches_the_real_project(gateway: str) -> None:
    from mydjango.wsgi import application

    client = send(application, gateway, HttpRequest("GET", "/hello/%E7%8E%8B%E8%8A%B3", [("Host", "localhost")]))
    assert (client.status, client.body.decode()) == (200, "hello 王芳")


def test_each_trap_of_the_list_has_a_test() -> None:
    folder = Path(__file__).parent
    traps = (folder.parents[1] / "docs" / "bridge.md").read_text("utf-8").partition("## The traps")[2]
    tests = "".join(file.read_text("utf-8") for file in folder.parent.rglob("test_*.py"))
    tested = set(re.findall(r"def test_trap_(\d+)_", tests)) | set(re.findall(r"def test_trap_\d+_and_(\d+)_", tests))
    assert tested == set(re.findall(r"^(\d+)\. ", traps, re.MULTILINE))
    assert len(tested) == 25
