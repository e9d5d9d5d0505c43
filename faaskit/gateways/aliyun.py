"""Aliyun: Function Compute's HTTP trigger, and API Gateway in front of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from faaskit.gateways.request import (
    Event,
    HttpRequest,
    encode,
    forwarded_for,
    http_description,
    joined_headers,
    joined_query,
    text_or_base64,
)
from faaskit.gateways.result import JSON, HttpResponse, body_of, header_pairs, status_of


def fc_event(request: HttpRequest) -> bytes:
    """FC 3.0 HTTP trigger: the handler gets bytes; path encoded; repeats joined by commas, in the query too."""
    body, is_base64 = text_or_base64(request.body)
    event = {
        "version": "v1",
        "rawPath": request.path,
        "body": body,
        "isBase64Encoded": is_base64,
        "headers": joined_headers(request, lower=False),
        "queryParameters": joined_query(request),
        "requestContext": {
            "domainName": request.host.partition(":")[0],
            "domainPrefix": request.host.partition(".")[0],
            "http": http_description(request, unquote(request.path)),
            "requestId": request.request_id,
        },
    }
    return encode(event)


def fc_apigateway_event(request: HttpRequest) -> bytes:
    """API Gateway in front of FC: bytes; `isBase64Encoded` is a string; the address only in X-Forwarded-For."""
    body, is_base64 = text_or_base64(request.body)
    kept = [(key, value) for key, value in request.headers if key.lower() != "x-forwarded-for"]
    sent = replace(request, headers=[*kept, ("X-Forwarded-For", forwarded_for(request))])
    event = {
        "path": request.path,
        "httpMethod": request.method,
        "headers": joined_headers(sent, lower=False),
        "queryParameters": joined_query(request),
        "pathParameters": {},
        "body": body,
        "isBase64Encoded": "true" if is_base64 else "false",
    }
    return encode(event)


def read_fc(result: Any, event: Event) -> HttpResponse:  # noqa: ANN401
    """FC 3.0: a value without statusCode is the body; a list repeats its header."""
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
        return HttpResponse(200, [JSON], body.encode())
    return HttpResponse(
        status_of(result, text_allowed=True), header_pairs(result.get("headers"), lists=True), body_of(result)
    )
