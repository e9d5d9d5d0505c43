"""One log line a request, from which the log service makes figures and alarms (docs/maintain.md).

Its fields: `route`, the URL's pattern and never its path, which may hold a code or a token; `status`; `ms` inside
Django; `start`, "cold" for an instance's first request and else "warm"; `memory_mb`, the most that the process has held
so far; `queries`, the statements of the code, without those that open a connection.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

try:
    import resource
except ImportError:  # Windows, where no platform runs
    resource = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

UNKNOWN = "-"  # no pattern matched, or middleware responded before the URL was resolved
MEGABYTE = 1024 * 1024 if sys.platform == "darwin" else 1024  # in the unit of ru_maxrss
_queries: ContextVar[int] = ContextVar("queries", default=0)


class MetricsMiddleware:
    """Log one line for each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.start = "cold"
        self.static = urlsplit(settings.STATIC_URL).path
        self.fixed_paths = frozenset({*settings.GUEST_PATHS, *settings.PLAIN_PATHS})

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start, self.start = self.start, "warm"
        _queries.set(0)
        began = time.perf_counter()
        response = self.get_response(request)
        fields = {
            "route": self._route(request),
            "status": response.status_code,
            "ms": round(1000 * (time.perf_counter() - began), 1),
            "start": start,
            "memory_mb": _memory(),
            "queries": _queries.get(),
        }
        logger.info("request.served", extra=fields)
        return response

    def _route(self, request: HttpRequest) -> str:
        """Return the pattern; a path that the settings name, and the folder of static files, need none."""
        if request.resolver_match is not None:
            return f"/{request.resolver_match.route}"
        if request.path_info in self.fixed_paths:
            return request.path_info
        return self.static if request.path_info.startswith(self.static) else UNKNOWN


def count_queries(connection: BaseDatabaseWrapper, **signal: object) -> None:
    """Count what a new connection executes. A thread keeps its wrapper and opens it anew, often for each request."""
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count)


def _count(execute: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401  (what the cursor returns)
    _queries.set(_queries.get() + 1)
    return execute(*arguments)


def _memory() -> float | None:
    if resource is None:
        return None
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE, 1)
