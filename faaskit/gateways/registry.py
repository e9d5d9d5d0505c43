"""The gateways by name: the one table that says which event each builds, how it reads the result, and where it runs.

Event builders and readers are from the platforms' own documents, by number where they have one ("SCF 96099"), and
captured events; docs/gateway.md lists them. What a gateway loses of a request (a repeated key, the difference between
`/` and `%2F`) its builder loses too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from faaskit.gateways import aliyun, aws, tencent
from faaskit.gateways.invocation import SUCCESS, Invocation
from faaskit.gateways.platforms import ALB, FC, LAMBDA, SCF, Platform
from faaskit.gateways.request import Event, HttpRequest
from faaskit.gateways.result import HttpResponse, MalformedResult


@dataclass(frozen=True)
class Gateway:
    """One gateway in front of a function."""

    platform: Platform
    build_event: Callable[[HttpRequest], Event | bytes]  # bytes for Aliyun
    read_result: Callable[[Any, Event], HttpResponse]  # raises MalformedResult
    malformed: Callable[[str], HttpResponse]  # the response where the result cannot be read, from the reason
    failed: Callable[[Invocation], HttpResponse]  # the response where the invocation did not succeed

    def respond(self, invocation: Invocation, event: Event) -> HttpResponse:
        """Return the response that the client gets."""
        if invocation.code != SUCCESS:
            return self.failed(invocation)
        try:
            return self.read_result(invocation.result, event)
        except MalformedResult as error:
            return self.malformed(f"the result is malformed: {error}")


_TENCENT = (tencent.malformed, tencent.failed)
_REST = (aws.rest_malformed, aws.rest_failed)  # Aliyun, too, tells the client nothing of the reason
_HTTP = (aws.http_malformed, aws.http_failed)
_ALB = (aws.alb_malformed, aws.alb_failed)

GATEWAYS = {
    "function-url": Gateway(SCF, tencent.function_url_event, tencent.read_function_url, *_TENCENT),
    "apigw": Gateway(SCF, tencent.apigw_event, tencent.read_apigw, *_TENCENT),
    "aws-rest": Gateway(LAMBDA, aws.rest_event, aws.read_rest, *_REST),
    "aws-http": Gateway(LAMBDA, aws.http_event, aws.read_http, *_HTTP),
    "aws-lambda-url": Gateway(LAMBDA, aws.lambda_url_event, aws.read_http, *_REST),
    "alb": Gateway(ALB, aws.alb_event, aws.read_alb, *_ALB),
    "alb-multi-value": Gateway(ALB, aws.alb_multi_value_event, aws.read_alb, *_ALB),
    "fc": Gateway(FC, aliyun.fc_event, aliyun.read_fc, *_REST),
    "fc-apigateway": Gateway(FC, aliyun.fc_apigateway_event, aliyun.read_fc, *_REST),
}
