"""What each gateway makes of an HTTP request: one builder a shape, HTTP request -> event.

Pure and standard library only: it imports neither settings nor survey, so it serves the local gateway and the tests of
any project. Sources are the platforms' own documents, by number where they have one ("SCF 96099"), and captured
events. What a shape loses of a request (a repeated key, the difference between `/` and `%2F`) its builder loses too.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

Event = dict[str, Any]


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request as the gateway received it.

    `target` is the request target as on the wire (`/a%20b?x=1`); `headers` are (name, value) pairs in their order,
    the bytes of each value decoded as UTF-8.
    """

    method: str = "GET"
    target: str = "/"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    address: str = "127.0.0.1"
    scheme: str = "https"
    protocol: str = "HTTP/1.1"
    request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    # The gateway's own name for the deployment: apigw and aws-rest keep it out of the path, aws-http in it.
    stage: str = ""

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query, exactly as sent, without the question mark."""
        return self.target.partition("?")[2]

    @property
    def host(self) -> str:
        """The Host header, or ''."""
        return self.header("host")

    def header(self, name: str) -> str:
        """The last value of a header, or ''; `name` in lower case."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")


def multiple(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """All values of each key, keys in the order and case of their first appearance."""
    spelled: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(spelled.setdefault(key.lower(), key), []).append(value)
    return values


def joined(request: HttpRequest, lower: bool = True) -> dict[str, str]:
    """Headers with repeats joined by a comma, cookies by a semicolon (RFC 9110 5.3, RFC 6265 5.4)."""
    return {
        key.lower() if lower else key: ("; " if key.lower() == "cookie" else ",").join(values)
        for key, values in multiple(request.headers).items()
    }


def grouped_query(request: HttpRequest) -> dict[str, list[str]]:
    """The decoded query: all values of each key."""
    values: dict[str, list[str]] = {}
    for key, value in parse_qsl(request.query, keep_blank_values=True):
        values.setdefault(key, []).append(value)
    return values


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


TEXT_PREFIXES = ("text/", "application/json", "application/javascript", "application/xml")


def body_by_content(request: HttpRequest) -> tuple[str, bool]:
    """(body, isBase64Encoded): text where the bytes are UTF-8, else base64."""
    try:
        return request.body.decode(), False
    except UnicodeDecodeError:
        return b64encode(request.body).decode(), True


def body_by_type(request: HttpRequest) -> tuple[str, bool]:
    """(body, isBase64Encoded): AWS's HTTP API, Lambda URL and ALB decide by content type, so a form goes as base64."""
    if request.header("content-type").lower().startswith(TEXT_PREFIXES) and not request.header("content-encoding"):
        return body_by_content(request)
    return b64encode(request.body).decode(), bool(request.body)


def function_url(request: HttpRequest) -> Event:
    """SCF Function URL (SCF 96099): lower-case headers, no Host, query decoded, nothing of a stage.

    A repeated key is a list (as in API Gateway's shape, with which the event is documented to be compatible). Binary
    bodies are reported broken on the real platform; here they arrive as base64.
    """
    headers = joined(request)
    headers.pop("host", None)
    headers |= {"x-scf-request-id": request.request_id, "x-scf-remote-addr": request.address}
    body, is_base64 = body_by_content(request)
    return {
        "body": body,
        "headers": headers,
        "httpMethod": request.method,
        "path": request.path,
        "queryString": tencent_query(request),
        "headerParameters": {},
        "isBase64Encoded": is_base64,
        "pathParameters": {},
        "queryStringParameters": {},
        "requestContext": {"sourceIp": request.address},
    }


def tencent_query(request: HttpRequest) -> dict[str, str | list[str] | bool]:
    """Decoded; one value a string, several a list, a key without `=` is true (SCF 12513 and a captured event)."""
    query: dict[str, str | list[str] | bool] = {
        key: values if len(values) > 1 else values[0] for key, values in grouped_query(request).items()
    }
    for part in request.query.split("&"):
        key = unquote_plus(part)
        if part and "=" not in part and query.get(key) == "":
            query[key] = True
    return query


def apigw(request: HttpRequest) -> Event:
    """Tencent API Gateway (SCF 12513): no stage in `path`; `isBase64Encoded` only where there is base64."""
    body, is_base64 = body_by_content(request)
    event: Event = {
        "requestContext": {
            "serviceId": "service-f94sy04v",
            "path": "/",
            "httpMethod": "ANY",
            "requestId": request.request_id,
            "identity": {},
            "sourceIp": request.address,
            "stage": request.stage or "release",
        },
        "headers": joined(request),
        "body": body,
        "pathParameters": {},
        "queryStringParameters": {},
        "headerParameters": {},
        "stageVariables": {"stage": request.stage or "release"},
        "path": request.path,
        "queryString": tencent_query(request),
        "httpMethod": request.method,
    }
    if is_base64:
        event["isBase64Encoded"] = True
    return event


def aws_rest(request: HttpRequest) -> Event:
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


def aws_http(request: HttpRequest) -> Event:
    """API Gateway HTTP (payload 2.0): `rawPath` is decoded and begins with a named stage, never with `$default`."""
    path = unquote(request.path)
    if request.stage:
        path = f"/{request.stage}{path}"
    return payload_2(request, path, path, request.stage or "$default")


def aws_lambda_url(request: HttpRequest) -> Event:
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
    target_group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/survey/49e9d65c45c6791a"
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


def alb(request: HttpRequest) -> Event:
    """ALB as it comes: single-value maps (the last value wins), the query left encoded."""
    headers = multiple([(key.lower(), value) for key, value in forwarded(request)])
    return load_balancer(request) | {
        "headers": {key: values[-1] for key, values in headers.items()},
        "queryStringParameters": dict(raw_pairs(request)),
    }


def alb_multi_value(request: HttpRequest) -> Event:
    """ALB with multi-value headers switched on: the answer must use the same maps."""
    query: dict[str, list[str]] = {}
    for key, value in raw_pairs(request):
        query.setdefault(key, []).append(value)
    return load_balancer(request) | {
        "multiValueHeaders": multiple([(key.lower(), value) for key, value in forwarded(request)]),
        "multiValueQueryStringParameters": query,
    }


def fc(request: HttpRequest) -> bytes:
    """Aliyun FC 3.0 HTTP trigger: the handler gets bytes; path encoded; repeats joined by commas, in the query too."""
    body, is_base64 = body_by_content(request)
    event = {
        "version": "v1",
        "rawPath": request.path,
        "body": body,
        "isBase64Encoded": is_base64,
        "headers": joined(request, lower=False),
        "queryParameters": {key: ",".join(values) for key, values in grouped_query(request).items()},
        "requestContext": {
            "accountId": "1234567890123456",
            "domainName": request.host.partition(":")[0],
            "domainPrefix": request.host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": unquote(request.path),
                "protocol": request.protocol,
                "sourceIp": request.address,
                "userAgent": request.header("user-agent"),
            },
            "requestId": request.request_id,
            "time": "2026-11-20T10:00:00Z",
            "timeEpoch": "1795168800000",
        },
    }
    return encoded(event)


def fc_apigateway(request: HttpRequest) -> bytes:
    """Aliyun API Gateway in front of FC: bytes; `isBase64Encoded` is a string; the address only in X-Forwarded-For."""
    body, is_base64 = body_by_content(request)
    claimed = [value for key, value in request.headers if key.lower() == "x-forwarded-for"]
    kept = [(key, value) for key, value in request.headers if key.lower() != "x-forwarded-for"]
    sent = replace(request, headers=[*kept, ("X-Forwarded-For", ", ".join([*claimed, request.address]))])
    event = {
        "path": request.path,
        "httpMethod": request.method,
        "headers": joined(sent, lower=False),
        "queryParameters": {key: ",".join(values) for key, values in grouped_query(request).items()},
        "pathParameters": {},
        "body": body,
        "isBase64Encoded": "true" if is_base64 else "false",
    }
    return encoded(event)


BUILDERS: dict[str, Callable[[HttpRequest], Event | bytes]] = {
    "function-url": function_url,
    "apigw": apigw,
    "aws-rest": aws_rest,
    "aws-http": aws_http,
    "aws-lambda-url": aws_lambda_url,
    "alb": alb,
    "alb-multi-value": alb_multi_value,
    "fc": fc,
    "fc-apigateway": fc_apigateway,
}


def encoded(event: Event) -> bytes:
    """The event as it goes to the function: JSON in UTF-8, whose bytes the platforms' limits count."""
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")


def build(gateway: str, request: HttpRequest) -> Event | bytes:
    """The event that the named gateway hands to the function; bytes for the two of Aliyun."""
    return BUILDERS[gateway](request)
