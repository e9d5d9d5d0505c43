"""AWS: API Gateway REST and HTTP, Lambda Function URL, Application Load Balancer."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from faaskit.gateways.invocation import EVENT_TOO_LARGE, Invocation
from faaskit.gateways.request import Event, HttpRequest, body_by_content, grouped_query, joined, multiple
from faaskit.gateways.result import (
    JSON,
    HttpResponse,
    MalformedResult,
    as_object,
    body_of,
    error_response,
    header_pairs,
    status_of,
)

TEXT_PREFIXES = ("text/", "application/json", "application/javascript", "application/xml")


def forwarded(request: HttpRequest) -> list[tuple[str, str]]:
    """The headers with what AWS's gateways add: they append the client's address and set protocol and port."""
    added = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-port")
    kept = [(key, value) for key, value in request.headers if key.lower() not in added]
    claimed = [value for key, value in request.headers if key.lower() == "x-forwarded-for"]
    port = request.host.rpartition(":")[2]
    return [
        *kept,
        ("X-Forwarded-For", ", ".join([*claimed, request.address])),
        ("X-Forwarded-Proto", request.scheme),
        ("X-Forwarded-Port", port if port.isdigit() else "443" if request.scheme == "https" else "80"),
    ]


def body_by_type(request: HttpRequest) -> tuple[str, bool]:
    """(body, isBase64Encoded): AWS's HTTP API, Lambda URL and ALB decide by content type, so a form goes as base64."""
    if request.header("content-type").lower().startswith(TEXT_PREFIXES) and not request.header("content-encoding"):
        return body_by_content(request)
    return b64encode(request.body).decode(), bool(request.body)


def rest_event(request: HttpRequest) -> Event:
    """API Gateway REST (payload 1.0): path encoded and without the stage, query decoded, multi-value maps complete."""
    stage = request.stage or "dev"
    headers = multiple(forwarded(request))
    query = grouped_query(request)
    body, is_base64 = body_by_content(request)
    return {
        "resource": "/{proxy+}",
        "path": request.path,
        "httpMethod": request.method,
        "headers": {key: values[-1] for key, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {key: values[-1] for key, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"proxy": request.path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "authorizer": None,
            "domainName": request.host.partition(":")[0],
            "httpMethod": request.method,
            "identity": {"sourceIp": request.address, "userAgent": request.header("user-agent")},
            "path": f"/{stage}{request.path}",
            "protocol": request.protocol,
            "requestId": request.request_id,
            "stage": stage,
        },
        "body": body or None,
        "isBase64Encoded": is_base64,
    }


def payload_2(request: HttpRequest, raw_path: str, decoded_path: str, stage: str) -> Event:
    """The part of AWS's payload 2.0 that HTTP API and Lambda URL share: exact query, cookies as a list."""
    headers = joined(replace(request, headers=forwarded(request)))
    cookies = [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]
    query = {key: ",".join(values) for key, values in grouped_query(request).items()}
    body, is_base64 = body_by_type(request)
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": request.query,
        "cookies": cookies,
        "headers": headers,
        "queryStringParameters": query,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": request.host.partition(":")[0],
            "http": {
                "method": request.method,
                "path": decoded_path,
                "protocol": request.protocol,
                "sourceIp": request.address,
                "userAgent": request.header("user-agent"),
            },
            "requestId": request.request_id,
            "routeKey": "$default",
            "stage": stage,
            "time": "20/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1795168800000,
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }
    for name, given in (("cookies", cookies), ("queryStringParameters", query), ("body", body)):
        if not given:
            del event[name]  # AWS leaves out what is empty
    return event


def http_event(request: HttpRequest) -> Event:
    """API Gateway HTTP (payload 2.0): `rawPath` is decoded and begins with a named stage, never with `$default`."""
    path = unquote(request.path)
    if request.stage:
        path = f"/{request.stage}{path}"
    return payload_2(request, path, path, request.stage or "$default")


def lambda_url_event(request: HttpRequest) -> Event:
    """Lambda Function URL: payload 2.0 with `rawPath` still encoded, and the cookies twice.

    `requestContext.http.path` is decoded and loses a trailing slash: the trap for whoever takes the path from there.
    """
    host = request.host or "abc123.lambda-url.eu-west-1.on.aws"
    event = payload_2(request, request.path, unquote(request.path).rstrip("/") or "/", "$default")
    event["requestContext"]["domainName"] = host if ".lambda-url." in host else "abc123.lambda-url.eu-west-1.on.aws"
    if event.get("cookies"):
        event["headers"]["cookie"] = "; ".join(event["cookies"])
    return event


def load_balancer(request: HttpRequest) -> Event:
    """What both modes of the Application Load Balancer share: the path is left percent-encoded."""
    body, is_base64 = body_by_type(request)
    target_group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/function/49e9d65c45c6791a"
    return {
        "requestContext": {"elb": {"targetGroupArn": target_group}},
        "httpMethod": request.method,
        "path": request.path,
        "body": body,
        "isBase64Encoded": is_base64,
    }


def raw_pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """The query's pairs as sent, still encoded."""
    parts = [part.partition("=") for part in request.query.split("&") if part]
    return [(key, value) for key, _, value in parts]


def alb_event(request: HttpRequest) -> Event:
    """ALB as it comes: single-value maps (the last value wins), the query left encoded."""
    headers = multiple([(key.lower(), value) for key, value in forwarded(request)])
    return load_balancer(request) | {
        "headers": {key: values[-1] for key, values in headers.items()},
        "queryStringParameters": dict(raw_pairs(request)),
    }


def alb_multi_value_event(request: HttpRequest) -> Event:
    """ALB with multi-value headers switched on: the result must use the same maps."""
    query: dict[str, list[str]] = {}
    for key, value in raw_pairs(request):
        query.setdefault(key, []).append(value)
    return load_balancer(request) | {
        "multiValueHeaders": multiple([(key.lower(), value) for key, value in forwarded(request)]),
        "multiValueQueryStringParameters": query,
    }


REST_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


def read_rest(result: Any, event: dict[str, Any]) -> HttpResponse:  # noqa: ANN401
    """API Gateway REST: both maps count, multiValueHeaders first; a key it does not know breaks the result."""
    result = as_object(result)
    unknown = sorted(set(result) - REST_KEYS)
    if unknown:
        raise MalformedResult(f"key {unknown[0]} is not known to this gateway")
    multiple = header_pairs(result.get("multiValueHeaders"), lists=True)
    named = {name.lower() for name, _ in multiple}
    single = [(name, value) for name, value in header_pairs(result.get("headers")) if name.lower() not in named]
    return HttpResponse(status_of(result, text_allowed=True), [*single, *multiple], body_of(result))


def read_http(result: Any, event: dict[str, Any]) -> HttpResponse:  # noqa: ANN401
    """API Gateway HTTP, payload 2.0: a value without statusCode is itself the JSON body; cookies have their list."""
    if not isinstance(result, dict) or "statusCode" not in result:
        return HttpResponse(200, [JSON], json.dumps(result, ensure_ascii=False).encode())
    cookies = result.get("cookies") or []
    if not isinstance(cookies, list) or not all(isinstance(cookie, str) for cookie in cookies):
        raise MalformedResult("cookies are not a list of text")
    headers = [*header_pairs(result.get("headers")), *(("Set-Cookie", cookie) for cookie in cookies)]
    return HttpResponse(status_of(result, text_allowed=True), headers, body_of(result))


def read_alb(result: Any, event: dict[str, Any]) -> HttpResponse:  # noqa: ANN401
    """Application Load Balancer: only the kind of map that the event had counts."""
    result = as_object(result)
    multiple = "multiValueHeaders" in event
    headers = header_pairs(result.get("multiValueHeaders" if multiple else "headers"), lists=multiple)
    return HttpResponse(status_of(result), headers, body_of(result))


TOO_LONG = error_response(413, {"message": "Request Too Long"})


def rest_malformed(reason: str) -> HttpResponse:
    """Return what a client of API Gateway REST gets where the result cannot be read: nothing of the reason."""
    return error_response(502, {"message": "Internal server error"}, note=reason)


def rest_failed(invocation: Invocation) -> HttpResponse:
    """Return what a client of API Gateway REST gets where the invocation failed."""
    return TOO_LONG if invocation.code == EVENT_TOO_LARGE else rest_malformed("")


def http_malformed(reason: str) -> HttpResponse:
    """The same of API Gateway HTTP, whose status is 500."""
    return error_response(500, {"message": "Internal Server Error"}, note=reason)


def http_failed(invocation: Invocation) -> HttpResponse:
    """The same of API Gateway HTTP."""
    return TOO_LONG if invocation.code == EVENT_TOO_LARGE else http_malformed("")


def alb_malformed(reason: str) -> HttpResponse:
    """The same of the load balancer, whose error is a page."""
    page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return error_response(502, page, [("Content-Type", "text/html")], reason)


def alb_failed(invocation: Invocation) -> HttpResponse:
    """The same of the load balancer."""
    return TOO_LONG if invocation.code == EVENT_TOO_LARGE else alb_malformed("")
