"""Tencent Cloud: Function URL and API Gateway."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

from faaskit.gateways.invocation import SUCCESS, Invocation
from faaskit.gateways.request import Event, HttpRequest, joined_headers, parsed_query, text_or_base64
from faaskit.gateways.result import HttpResponse, as_object, body_of, error_response, header_pairs, status_of

# SCF 12513, as its document spells it.
INVALID_RESPONSE = "Invalid scf response format. please check your scf response format."


def function_url_event(request: HttpRequest) -> Event:
    """SCF Function URL (SCF 96099): lower-case headers, no Host, query decoded, no stage.

    A repeated key is a list, as in API Gateway's shape, with which the event is documented to be compatible. Binary
    bodies are reported broken on the real platform; here they arrive as base64.
    """
    headers = joined_headers(request)
    headers.pop("host", None)
    headers |= {"x-scf-request-id": request.request_id, "x-scf-remote-addr": request.address}
    body, is_base64 = text_or_base64(request.body)
    return {
        "body": body,
        "headers": headers,
        "httpMethod": request.method,
        "path": request.path,
        "queryString": query_string(request),
        "headerParameters": {},
        "isBase64Encoded": is_base64,
        "pathParameters": {},
        "queryStringParameters": {},
        "requestContext": {"sourceIp": request.address},
    }


def query_string(request: HttpRequest) -> dict[str, str | list[str] | bool]:
    """Return the decoded query: a string, a list of several values, true for a key without `=`.

    Source: SCF 12513 and a captured event.
    """
    query: dict[str, str | list[str] | bool] = {
        key: values if len(values) > 1 else values[0] for key, values in parsed_query(request).items()
    }
    for part in request.query.split("&"):
        key = unquote_plus(part)
        if part and "=" not in part and query.get(key) == "":
            query[key] = True
    return query


def apigw_event(request: HttpRequest) -> Event:
    """Tencent API Gateway (SCF 12513): no stage in `path`; `isBase64Encoded` only where there is base64."""
    body, is_base64 = text_or_base64(request.body)
    stage = request.stage or "release"
    event: Event = {
        "requestContext": {
            "serviceId": "service-f94sy04v",
            "path": "/",
            "httpMethod": "ANY",
            "requestId": request.request_id,
            "identity": {},
            "sourceIp": request.address,
            "stage": stage,
        },
        "headers": joined_headers(request),
        "body": body,
        "pathParameters": {},
        "queryStringParameters": {},
        "headerParameters": {},
        "stageVariables": {"stage": stage},
        "path": request.path,
        "queryString": query_string(request),
        "httpMethod": request.method,
    }
    if is_base64:
        event["isBase64Encoded"] = True
    return event


def read_apigw(result: Any, event: Event) -> HttpResponse:  # noqa: ANN401
    """Tencent API Gateway's integrated response (SCF 12513): a list repeats its header."""
    result = as_object(result)
    return HttpResponse(status_of(result), header_pairs(result.get("headers"), lists=True), body_of(result))


def read_function_url(result: Any, event: Event) -> HttpResponse:  # noqa: ANN401
    """Function URL: as API Gateway, but base64 is not decoded, the client receives its text (measured 2026-10)."""
    result = as_object(result)
    response = read_apigw(result | {"isBase64Encoded": False}, event)
    if not result.get("isBase64Encoded"):
        return response
    return replace(response, note="a base64 body: a Function URL does not decode it, the client receives base64")


def error(invocation: Invocation, reason: str) -> HttpResponse:
    """Return 403 for a malformed result, else the platform's code with the reason."""
    if invocation.code == SUCCESS:
        return error_response(403, {"errno": 403, "error": INVALID_RESPONSE}, note=reason)
    content = {
        "errorCode": invocation.code,
        "errorMessage": invocation.error,
        "requestId": invocation.request_id,
        "statusCode": invocation.code,
    }
    return error_response(invocation.code, content)
