"""Proof by search: no HTTP event makes the bridge raise, and what is sent is what arrives."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_to_bytes

from hypothesis import given, settings
from hypothesis import strategies as st

import index
from faaskit.gateways.request import HttpRequest
from tests.support.gateways import GATEWAYS, HOST, Recorder, received, sample, send

text = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=12)
# Segments without "/": the HTTP API decodes %2F, so only there a segment cannot hold one.
paths = st.lists(text.filter(lambda segment: "/" not in segment), max_size=4).map(
    lambda segments: "/" + "/".join(quote(segment, safe="") for segment in segments)
)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=10).map(lambda name: "x-t-" + name)
# Surrounding spaces are no part of a header's value.
values = st.text(st.characters(min_codepoint=32, codec="utf-8", exclude_categories=["C"]), max_size=12).map(str.strip)
queries = st.dictionaries(text, text, max_size=4)
requests = st.builds(
    HttpRequest,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
    target=st.builds(lambda path, query: path + query, paths, st.just("")),
    headers=st.dictionaries(names, values, max_size=4).map(lambda headers: [HOST, *headers.items()]),
    body=st.binary(max_size=40) | text.map(str.encode),
    address=st.ip_addresses(v=4).map(str),
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(GATEWAYS), requests, queries)
def test_method_path_query_headers_and_body_arrive_as_sent(
    gateway: str, request: HttpRequest, query: dict[str, str]
) -> None:
    target = request.target + "?" + "&".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in query.items())
    request = HttpRequest(**{**request.__dict__, "target": target})
    recorder = Recorder()
    assert send(recorder, gateway, request).status == 200
    environ = recorder.environ
    assert environ["REQUEST_METHOD"] == request.method
    assert environ["PATH_INFO"].encode("latin-1") == unquote_to_bytes(request.path)
    assert dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)) == query
    assert recorder.received == request.body
    assert environ["REMOTE_ADDR"] == request.address
    for name, value in request.headers[1:]:
        assert recorder.text("HTTP_" + name.upper().replace("-", "_")) == value


HTTP_SAMPLES = [
    sample(name)
    for name in (
        *("apigw", "apigw-real", "function-url", "function-url-real", "aws-rest", "aws-http", "aws-http-stage"),
        *("aws-lambda-url", "aws-alb", "aws-alb-single", "fc-http", "fc-apigateway"),
        *("aws-lattice", "apigw-shim"),
    )
]
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=8)
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@st.composite
def mutilated(draw: st.DrawFn) -> Any:
    """A sample event in which some values, at any depth, are gone or something else."""
    event = copy.deepcopy(draw(st.sampled_from(HTTP_SAMPLES)))
    for _ in range(draw(st.integers(0, 5))):
        place = event
        key = draw(st.sampled_from(sorted(place)))
        while isinstance(place[key], dict) and place[key] and draw(st.booleans()):
            place = place[key]
            key = draw(st.sampled_from(sorted(place)))
        if draw(st.booleans()) and (place is not event or len(place) > 1):
            del place[key]
        else:
            place[key] = draw(junk)
        if not event:
            break
    if not index.gateway_of(event):
        event.pop("method", None)  # something else that stands where the method is looked for first
        event["httpMethod"] = "GET"
    return event


@settings(max_examples=400, deadline=None)
@given(mutilated(), st.none() | st.just({}) | junk)
def test_a_mutilated_event_is_answered_in_good_form(event: Any, context: Any) -> None:
    recorder = Recorder()
    client = received(index.handle_request(recorder, event, context))
    assert client.status in (200, 400)
    if client.status == 200:
        environ = recorder.environ
        assert environ["PATH_INFO"][:1] in ("", "/")
        for key, value in environ.items():
            if "." not in key:
                assert type(value) is str, key
                value.encode("latin-1")
