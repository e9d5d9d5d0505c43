"""The invocation a request belongs to: the platform's request id, and the time that is left to answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse

# Where no platform says how long a request may take: gunicorn ends a worker after as long.
DEFAULT_TIME_LIMIT = 30.0  # seconds
# What rendering the answer and sending it back may still need.
RESERVE = 1.0  # seconds

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)  # of time.monotonic()


def request_id() -> str:
    """The platform's id of the running invocation; '' outside of a request."""
    return _request_id.get()


def seconds_left() -> float | None:
    """How long the running request may still work; None outside of a request, where nothing is known of a limit."""
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


class InvocationMiddleware:
    """Notes both until the answer is closed. It stands first, so that everything below can ask.

    Not until it returns: Django logs a 4xx after that.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        request_finished.connect(_forget)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request with its id and its deadline set."""
        context = request.META.get("serverless.context")
        # index.py has decided it; a Web function has the header alone.
        _request_id.set(request.META.get("serverless.request_id") or request.headers.get("x-scf-request-id", ""))
        _deadline.set(time.monotonic() + max(0.0, _time_limit(context) - RESERVE))
        try:
            return self.get_response(request)
        except BaseException:  # such as SystemExit: there is no answer to be closed
            _forget()
            raise


def _forget(**signal: object) -> None:
    """What the instance does next belongs to another invocation."""
    _request_id.set("")
    _deadline.set(None)


def _time_limit(context: Any) -> float:  # noqa: ANN401
    """Seconds that the platform gives this request.

    AWS says how many are left, Tencent and Aliyun how many there were at the start, which was a moment ago.
    """
    try:
        if isinstance(context, dict):
            return float(context["time_limit_in_ms"]) / 1000
        if hasattr(context, "get_remaining_time_in_millis"):
            return float(context.get_remaining_time_in_millis()) / 1000
        return float(context.function.timeout)
    except (AttributeError, KeyError, TypeError, ValueError):
        return DEFAULT_TIME_LIMIT
