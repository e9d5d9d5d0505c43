"""The gateways by name: which event each builds, how it reads the result, what it reports of a failure.

Event builders and readers follow the platforms' own documents, by number where they have one ("SCF 96099"), and
captured events; docs/gateway.md lists them. Each builder loses what its gateway loses of a request (a repeated key,
the difference between `/` and `%2F`).
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
    """One gateway in front of a function.

    `error` gets the invocation and, where its result is malformed, the reason; `build_event` returns bytes for Aliyun.
    """

    platform: Platform
    build_event: Callable[[HttpRequest], Event | bytes]
    read_result: Callable[[Any, Event], HttpResponse]  # raises MalformedResult
    error: Callable[[Invocation, str], HttpResponse]
    carries_binary: bool = True  # it decodes base64

    def respond(self, invocation: Invocation, event: Event) -> HttpResponse:
        """Return the response that the client gets."""
        if invocation.code != SUCCESS:
            return self.error(invocation, "")
        try:
            return self.read_result(invocation.result, event)
        except MalformedResult as error:
            return self.error(invocation, f"the result is malformed: {error}")


WEB = "web"  # no gateway of events: a Function URL in front of a Web function, which speaks HTTP to it
GATEWAYS = {
    "function-url": Gateway(SCF, tencent.function_url_event, tencent.read_function_url, tencent.error, False),
    "apigw": Gateway(SCF, tencent.apigw_event, tencent.read_apigw, tencent.error),
    "aws-rest": Gateway(LAMBDA, aws.rest_event, aws.read_rest, aws.rest_error),
    "aws-http": Gateway(LAMBDA, aws.http_event, aws.read_http, aws.http_error),
    "aws-lambda-url": Gateway(LAMBDA, aws.lambda_url_event, aws.read_http, aws.rest_error),
    "alb": Gateway(ALB, aws.alb_event, aws.read_alb, aws.alb_error),
    "alb-multi-value": Gateway(ALB, aws.alb_multi_value_event, aws.read_alb, aws.alb_error),
    "fc": Gateway(FC, aliyun.fc_event, aliyun.read_fc, aws.rest_error),  # Aliyun hides the reason, too
    "fc-apigateway": Gateway(FC, aliyun.fc_apigateway_event, aliyun.read_fc, aws.rest_error),
}
