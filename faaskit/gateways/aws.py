"""AWS: API Gateway REST and HTTP, Lambda Function URL, Application Load Balancer."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from faaskit.gateways.invocation import EVENT_TOO_LARGE, Invocation
from faaskit.gateways.request import (
    Event,
    HttpRequest,
    forwarded_for,
    http_description,
    joined_headers,
    joined_query,
    parsed_query,
    text_or_base64,
    values_by_name,
)
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
REST_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
LAMBDA_HOST = "abc123.lambda-url.eu-west-1.on.aws"


def forwarded(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the headers with those that AWS adds: the client's address is appended, protocol and port are set."""
    added = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-port")
    kept = [(key, value) for key, value in request.headers if key.lower() not in added]
    port = request.host.rpartition(":")[2]
    default_port = "443" if request.scheme == "https" else "80"
    return [
        *kept,
        ("X-Forwarded-For", forwarded_for(request)),
        ("X-Forwarded-Proto", request.scheme),
        ("X-Forwarded-Port", port if port.isdigit() else default_port),
    ]


def body_by_type(request: HttpRequest) -> tuple[str, bool]:
    """Return (body, isBase64Encoded) by content type, as HTTP API, Lambda URL and ALB do: a form goes as base64."""
    if request.header("content-type").lower().startswith(TEXT_PREFIXES) and not request.header("content-encoding"):
        return text_or_base64(request.body)
    return b64encode(request.body).decode(), bool(request.body)


def last_values(values: dict[str, list[str]]) -> dict[str, str]:
    return {key: several[-1] for key, several in values.items()}


def rest_event(request: HttpRequest) -> Event:
    """API Gateway REST (payload 1.0): path encoded and without the stage, query decoded, multi-value maps complete."""
    stage = request.stage or "dev"
    headers = values_by_name(forwarded(request))
    query = parsed_query(request)
    body, is_base64 = text_or_base64(request.body)
    return {
        "resource": "/{proxy+}",
        "path": request.path,
        "httpMethod": request.method,
        "headers": last_values(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": last_values(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"proxy": request.path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
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
    """Return what HTTP API and Lambda URL share of AWS's payload 2.0: the query as sent, cookies as a list."""
    headers = joined_headers(replace(request, headers=forwarded(request)))
    cookies = [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]
    body, is_base64 = body_by_type(request)
    optional = {"cookies": cookies, "queryStringParameters": joined_query(request), "body": body}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "apiId": "abc123",
            "domainName": request.host.partition(":")[0],
            "http": http_description(request, decoded_path),
            "requestId": request.request_id,
            "routeKey": "$default",
            "stage": stage,
        },
        "isBase64Encoded": is_base64,
    } | {name: value for name, value in optional.items() if value}  # AWS leaves out empty ones


def http_event(request: HttpRequest) -> Event:
    """API Gateway HTTP (payload 2.0): `rawPath` is decoded and begins with a named stage, never with `$default`."""
    path = unquote(request.path)
    if request.stage:
        path = f"/{request.stage}{path}"
    return payload_2(request, path, path, request.stage or "$default")


def lambda_url_event(request: HttpRequest) -> Event:
    """Lambda Function URL: payload 2.0 with `rawPath` still encoded, and the cookies twice.

    `requestContext.http.path` is decoded and loses a trailing slash: a trap for handlers that read the path there.
    """
    event = payload_2(request, request.path, unquote(request.path).rstrip("/") or "/", "$default")
    event["requestContext"]["domainName"] = request.host if ".lambda-url." in request.host else LAMBDA_HOST
    if "cookies" in event:
        event["headers"]["cookie"] = "; ".join(event["cookies"])
    return event


def alb_base(request: HttpRequest) -> Event:
    """Return what both modes of the Application Load Balancer share: the path stays percent-encoded."""
    body, is_base64 = body_by_type(request)
    target_group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/function/49e9d65c45c6791a"
    return {
        "requestContext": {"elb": {"targetGroupArn": target_group}},
        "httpMethod": request.method,
        "path": request.path,
        "body": body,
        "isBase64Encoded": is_base64,
    }


def alb_maps(request: HttpRequest) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return all values of headers (names in lower case) and of the query, which ALB leaves encoded."""
    query: dict[str, list[str]] = {}
    for part in request.query.split("&"):
        if part:
            key, _, value = part.partition("=")
            query.setdefault(key, []).append(value)
    return values_by_name([(key.lower(), value) for key, value in forwarded(request)]), query


def alb_event(request: HttpRequest) -> Event:
    """ALB by default: single-value maps, in which the last value wins."""
    headers, query = alb_maps(request)
    return alb_base(request) | {"headers": last_values(headers), "queryStringParameters": last_values(query)}


def alb_multi_value_event(request: HttpRequest) -> Event:
    """ALB with multi-value headers switched on: the result must use the same maps."""
    headers, query = alb_maps(request)
    return alb_base(request) | {"multiValueHeaders": headers, "multiValueQueryStringParameters": query}


def read_rest(result: Any, event: Event) -> HttpResponse:  # noqa: ANN401
    """API Gateway REST: multiValueHeaders win over headers; an unknown key makes the result malformed."""
    result = as_object(result)
    unknown = sorted(set(result) - REST_KEYS)
    if unknown:
        raise MalformedResult(f"key {unknown[0]} is not known to this gateway")
    multiple = header_pairs(result.get("multiValueHeaders"), lists=True)
    named = {name.lower() for name, _ in multiple}
    single = [(name, value) for name, value in header_pairs(result.get("headers")) if name.lower() not in named]
    return HttpResponse(status_of(result, text_allowed=True), [*single, *multiple], body_of(result))


def read_http(result: Any, event: Event) -> HttpResponse:  # noqa: ANN401
    """API Gateway HTTP (payload 2.0): a value without statusCode is the JSON body; cookies have their own list."""
    if not isinstance(result, dict) or "statusCode" not in result:
        return HttpResponse(200, [JSON], json.dumps(result, ensure_ascii=False).encode())
    cookies = result.get("cookies") or []
    if not isinstance(cookies, list) or not all(isinstance(cookie, str) for cookie in cookies):
        raise MalformedResult("cookies are not a list of text")
    headers = [*header_pairs(result.get("headers")), *(("Set-Cookie", cookie) for cookie in cookies)]
    return HttpResponse(status_of(result, text_allowed=True), headers, body_of(result))


def read_alb(result: Any, event: Event) -> HttpResponse:  # noqa: ANN401
    """Application Load Balancer: only the kind of map that the event had counts."""
    result = as_object(result)
    multiple = "multiValueHeaders" in event
    headers = header_pairs(result.get("multiValueHeaders" if multiple else "headers"), lists=multiple)
    return HttpResponse(status_of(result), headers, body_of(result))


def _fixed_error(response: HttpResponse) -> Callable[[Invocation, str], HttpResponse]:
    """Return a function that reports every failure as this response: the reason goes into the log's note alone."""

    def error(invocation: Invocation, reason: str) -> HttpResponse:
        if invocation.code == EVENT_TOO_LARGE:
            return error_response(413, {"message": "Request Too Long"})
        return replace(response, note=reason)

    return error


rest_error = _fixed_error(error_response(502, {"message": "Internal server error"}))
http_error = _fixed_error(error_response(500, {"message": "Internal Server Error"}))
alb_error = _fixed_error(
    HttpResponse(
        502,
        [("Content-Type", "text/html")],
        b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
    )
)
