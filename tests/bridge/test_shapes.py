"""Every gateway's shape through the whole set: query, path, bodies, cookies, headers, statuses, binary."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote_to_bytes

import pytest

import index
from faaskit.gateways.request import HttpRequest
from tests.support.gateways import BINARY, GATEWAYS, HOST, Recorder, Setting, seen, send

every_gateway = pytest.mark.parametrize("gateway", GATEWAYS)
JOINS_QUERY = ("fc", "fc-apigateway")  # repeated keys reach the function as one, comma-joined value
KEEPS_LAST = ("alb",)  # single-value maps hold the last value only


@every_gateway
def test_trap_13_query_values_repeated_blank_plus_percent_and_chinese(gateway: str) -> None:
    target = "/x?tag=one&tag=two&empty=&plus=a%2Bb&space=New+York&percent=50%25&name=%E7%8E%8B%E8%8A%B3&a%26b=c%3Dd"
    query = parse_qsl(seen(gateway, target=target).environ["QUERY_STRING"], keep_blank_values=True, strict_parsing=True)
    repeated = [("tag", "one"), ("tag", "two")]
    if gateway in JOINS_QUERY:
        repeated = [("tag", "one,two")]
    if gateway in KEEPS_LAST:
        repeated = [("tag", "two")]
    assert query == [
        *repeated,
        ("empty", ""),
        ("plus", "a+b"),
        ("space", "New York"),
        ("percent", "50%"),
        ("name", "王芳"),
        ("a&b", "c=d"),
    ]


@every_gateway
def test_a_key_without_a_value_is_a_blank_one(gateway: str) -> None:
    query = seen(gateway, target="/x?i&a=1").environ["QUERY_STRING"]
    assert parse_qsl(query, keep_blank_values=True) == [("i", ""), ("a", "1")]


@every_gateway
def test_no_query_is_an_empty_string(gateway: str) -> None:
    assert seen(gateway, target="/x").environ["QUERY_STRING"] == ""


@every_gateway
@pytest.mark.parametrize(
    "path", ["/a%20b/", "/a%2Fb", "/%E7%8E%8B%E8%8A%B3", "//double//slash/", "/50%25", "/a+b", "/"]
)
def test_the_path_is_decoded_exactly_once(gateway: str, path: str) -> None:
    environ = seen(gateway, target=path).environ
    assert environ["PATH_INFO"].encode("latin-1") == unquote_to_bytes(path)
    assert environ["SCRIPT_NAME"] == ""


@every_gateway
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", "name=王芳&city=New+York".encode()),
        ("application/json", '{"name": "王芳"}'.encode()),
        ("application/octet-stream", bytes(range(256))),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n\xff\xfe\r\n--x--\r\n',
        ),
        ("text/plain", b""),
    ],
)
def test_form_json_binary_and_empty_bodies_arrive_unchanged(gateway: str, content_type: str, body: bytes) -> None:
    recorder = seen(gateway, ("Content-Type", content_type), method="POST", target="/x", body=body)
    assert recorder.received == body
    assert recorder.environ["CONTENT_LENGTH"] == str(len(body))
    assert recorder.environ["CONTENT_TYPE"] == content_type
    assert recorder.environ["REQUEST_METHOD"] == "POST"


@every_gateway
def test_trap_9_two_cookies_in_once_each(gateway: str) -> None:
    assert seen(gateway, ("Cookie", "a=1; b=2")).environ["HTTP_COOKIE"] == "a=1; b=2"


@every_gateway
def test_trap_8_two_cookies_out_none_lost_none_doubled(gateway: str) -> None:
    headers = [("Content-Type", "text/plain"), ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2, c; Path=/")]
    client = send(Recorder(headers=headers), gateway, HttpRequest())
    assert sorted(client.header("set-cookie")) == ["a=1; Path=/", "b=2, c; Path=/"]


def test_trap_8_an_alb_of_single_values_has_a_place_for_a_dozen_cookies() -> None:
    cookies = [("Set-Cookie", f"c{number}=1") for number in range(12)]
    client = send(Recorder(headers=[("Content-Type", "text/plain"), *cookies]), "alb", HttpRequest(headers=[HOST]))
    assert client.header("set-cookie") == [value for _, value in cookies]


@every_gateway
def test_duplicate_request_headers_are_joined_by_a_comma(gateway: str) -> None:
    value = seen(gateway, ("X-Twice", "one"), ("X-Twice", "two")).environ["HTTP_X_TWICE"]
    assert value == ("two" if gateway in KEEPS_LAST else "one,two")


@every_gateway
def test_duplicate_response_headers_all_go_out(gateway: str) -> None:
    headers = [("Content-Type", "text/plain"), ("Link", "<a>"), ("Link", "<b>")]
    client = send(Recorder(headers=headers), gateway, HttpRequest())
    assert ",".join(client.header("link")) == "<a>,<b>"


@every_gateway
def test_a_redirect_goes_out_as_it_is(gateway: str) -> None:
    headers = [("Location", "/hello/%E7%8E%8B"), ("Content-Type", "text/html; charset=utf-8")]
    client = send(Recorder(b"", "302 Found", headers), gateway, HttpRequest())
    assert (client.status, client.header("location"), client.body) == (302, ["/hello/%E7%8E%8B"], b"")


@every_gateway
def test_trap_16_head_has_no_body_but_keeps_its_content_length(gateway: str) -> None:
    headers = [("Content-Type", "image/png"), ("Content-Length", "9000000")]
    client = send(Recorder(b"\x89" * 9_000_000, headers=headers), gateway, HttpRequest("HEAD"))
    assert (client.status, client.body) == (200, b"")
    assert client.header("content-length") == ["9000000"]


@every_gateway
@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_trap_16_204_and_304_have_no_body_and_get_no_content_type(gateway: str, status: str) -> None:
    client = send(Recorder(b"", status, [("ETag", '"x"')]), gateway, HttpRequest())
    assert (client.status, client.body, client.header("content-type")) == (int(status[:3]), b"", [])
    assert client.header("etag") == ['"x"']


@pytest.mark.parametrize("gateway", BINARY)
def test_a_binary_response_arrives_unchanged(gateway: str) -> None:
    body = bytes(range(256))
    client = send(Recorder(body, headers=[("Content-Type", "image/png")]), gateway, HttpRequest())
    assert client.body == body


def test_a_binary_response_behind_a_function_url_is_502_with_type_and_size(caplog: pytest.LogCaptureFixture) -> None:
    client = send(Recorder(b"\x89PNG", headers=[("Content-Type", "image/png")]), "function-url", HttpRequest())
    assert client.status == 502
    assert b"4 bytes of image/png" in client.body
    assert "4 bytes of image/png" in caplog.text


@every_gateway
def test_host_scheme_and_port_are_the_events(gateway: str, bridge_setting: Setting) -> None:
    bridge_setting("PUBLIC_URL", "http://public.example.com:8080")
    environ = seen(gateway, ("X-Forwarded-Proto", "https")).environ
    place = [environ[name] for name in ("wsgi.url_scheme", "SERVER_NAME", "SERVER_PORT")]
    if gateway == "function-url":  # which sends no Host, and has the two headers from the client
        assert place == ["http", "public.example.com", "8080"]
        assert environ["HTTP_HOST"] == "public.example.com:8080"
    else:
        assert place == ["https", "survey.example.com", "443"]


@pytest.mark.parametrize(
    ("public", "place"),
    [
        ("", ("https", "localhost", "443")),
        ("https://survey.example.com", ("https", "survey.example.com", "443")),
        ("https://survey.example.com:8443", ("https", "survey.example.com", "8443")),
        ("http://127.0.0.1:9000", ("http", "127.0.0.1", "9000")),
        ("http://127.0.0.1", ("http", "127.0.0.1", "80")),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https", "ftp"])
def test_the_client_of_a_function_url_chooses_neither_scheme_nor_port(
    scheme: str, public: str, place: tuple[str, ...], bridge_setting: Setting
) -> None:
    bridge_setting("PUBLIC_URL", public)
    environ = seen("function-url", ("X-Forwarded-Proto", scheme), ("X-Forwarded-Port", "4711")).environ
    assert (environ["wsgi.url_scheme"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == place


def test_an_unknown_scheme_is_public_urls_and_without_host_the_port_is_too(bridge_setting: Setting) -> None:
    bridge_setting("PUBLIC_URL", "http://public.example.com")
    for host, place in (
        ({"Host": "a.example"}, ("http", "a.example", "4711")),
        ({}, ("http", "public.example.com", "80")),
    ):
        headers = {**host, "X-Forwarded-Proto": "ftp", "X-Forwarded-Port": "4711"}
        recorder = Recorder()
        event = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/", "headers": headers}
        index.handle_request(recorder, event, {})
        environ = recorder.environ
        assert (environ["wsgi.url_scheme"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == place


@every_gateway
def test_trap_14_the_address_is_the_platforms_and_not_the_forged_one(gateway: str) -> None:
    recorder = Recorder()
    forged = ("X-Forwarded-For", "6.6.6.6")
    send(recorder, gateway, HttpRequest(headers=[HOST, forged], address="203.0.113.7"))
    assert recorder.environ["REMOTE_ADDR"] == "203.0.113.7"
