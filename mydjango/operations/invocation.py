"""The invocation a request belongs to: the platform's request id, and the seconds left until its time limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse

DEFAULT_TIME_LIMIT = 30.0  # seconds, where no platform names a limit; gunicorn ends a worker after as long
RESERVE = 1.0  # seconds to render and send the response

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)  # of time.monotonic()


def request_id() -> str:
    """Return the platform's id of the running invocation, or '' outside of a request."""
    return _request_id.get()


def seconds_left() -> float | None:
    """Return the seconds left to the running request, or None outside of a request, where no limit is known."""
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


class InvocationMiddleware:
    """Set request id and deadline until the response is closed, since Django logs a 4xx after the middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        request_finished.connect(_reset)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        context = request.META.get("serverless.context")
        # index.py sets the id in the environ. A Web function, which does without index.py, has the header.
        _request_id.set(request.META.get("serverless.request_id") or request.META.get("HTTP_X_SCF_REQUEST_ID", ""))
        _deadline.set(time.monotonic() + max(0.0, _time_limit(context) - RESERVE))
        try:
            return self.get_response(request)
        except BaseException:  # such as SystemExit: no response will be closed
            _reset()
            raise


def _reset(**signal: object) -> None:
    _request_id.set("")
    _deadline.set(None)


def _time_limit(context: Any) -> float:  # noqa: ANN401
    """Return the seconds that the platform gives this request.

    AWS reports the time left; Tencent and Aliyun report the limit, counted from a moment ago.
    """
    try:
        if isinstance(context, dict):
            return float(context["time_limit_in_ms"]) / 1000
        if hasattr(context, "get_remaining_time_in_millis"):
            return float(context.get_remaining_time_in_millis()) / 1000
        return float(context.function.timeout)
    except (AttributeError, KeyError, TypeError, ValueError):
        return DEFAULT_TIME_LIMIT
