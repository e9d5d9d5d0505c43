"""Logs in production: one JSON object a line, with the platform's request id and without personal data."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

from mydjango.operations import invocation

LONGEST_CHAIN = 5  # exceptions
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_HTTP_STATUSES = frozenset(HTTPStatus)
_PLAIN = (str, int, float, type(None))
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


class JSONFormatter(logging.Formatter):
    """Format the event, its `extra`, the route of its request, and the place of its exception.

    The text of an exception is left out, because it quotes what people typed. So is Django's message about a refused
    request, which quotes its path or host.
    """

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        entry: dict[str, Any] = {
            "time": moment,
            "level": record.levelname,
            "logger": record.name,
            "event": _refusal(record) or record.getMessage(),
            # index.py passes the id with its own lines, which it writes outside of Django's request.
            "request_id": getattr(record, "request_id", "") or invocation.request_id(),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and isinstance(value, _PLAIN):
                entry.setdefault(name, value)
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        if match is not None:
            entry["route"] = match.route
        if record.exc_info and record.exc_info[1] is not None:
            entry["exception"] = _describe(record.exc_info[1])
        return _encode(entry)


def _refusal(record: logging.LogRecord) -> str:
    """Return Django's message about a request (django.utils.log.log_response) without client input, '' for others.

    The reason of a failed CSRF check is kept; the address after its dash is cut off.
    """
    if not hasattr(record, "request"):
        return ""
    status = getattr(record, "status_code", None)
    phrase = HTTPStatus(status).phrase if status in _HTTP_STATUSES else "Request"
    if record.name == "django.security.csrf" and isinstance(record.args, tuple) and record.args:
        phrase += f" ({str(record.args[0]).partition(' - ')[0]})"
    return phrase


def _describe(error: BaseException) -> list[dict[str, Any]]:
    """Return type, error number and lines of code (innermost last) of the exception and of each of its causes."""
    chain: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(chain) < LONGEST_CHAIN:
        entry: dict[str, Any] = {"type": f"{type(current).__module__}.{type(current).__qualname__}"}
        if current.args and isinstance(current.args[0], int):
            entry["number"] = current.args[0]
        frames = traceback.extract_tb(current.__traceback__)
        entry["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        chain.append(entry)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain


def configure(options: Mapping[str, Any]) -> None:
    """Write every logger's lines of at least `options["level"]` to standard error, which the platform collects.

    Django's LOGGING_CONFIG. Not logging.config.dictConfig, whose module imports sockets and queues: a twentieth of the
    first response.

    A command configures logging again (django.setup), while index.py collects what it prints: the first handler stays.
    """
    # No line names its thread, process or caller, so none looks for them: https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    root = logging.getLogger()
    if any(isinstance(handler.formatter, JSONFormatter) for handler in root.handlers):
        root.setLevel(options["level"])
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(level=options["level"], handlers=[handler], force=True)
    # Django's own handlers would mail the whole request to administrators.
    logging.getLogger("django").handlers.clear()
