"""Logs in production: one JSON object a line, with the platform's request id and without anybody's data."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

from mydjango.operations import invocation

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
HTTP_STATUSES = frozenset(HTTPStatus)
_PLAIN = (str, int, float, bool, type(None))


class JSONFormatter(logging.Formatter):
    """The event, what it says about itself, and of an exception where it happened.

    An exception's text is left out: it quotes what somebody typed. Its type, its number and its lines of code are not.
    Neither is what Django says of a request it refuses, which quotes path or host: status and route are.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        moment = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        entry: dict[str, Any] = {
            "time": moment,
            "level": record.levelname,
            "logger": record.name,
            "event": refusal(record) or record.getMessage(),
            # index.py's own lines bring theirs: they are written outside of Django's request.
            "request_id": getattr(record, "request_id", "") or invocation.request_id(),
        }
        entry |= {
            name: value
            for name, value in vars(record).items()
            if name not in _STANDARD and name not in entry and isinstance(value, _PLAIN)
        }
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        if match is not None:
            entry["route"] = match.route
        if record.exc_info and record.exc_info[1] is not None:
            entry["exception"] = describe(record.exc_info[1])
        return json.dumps(entry, ensure_ascii=False, default=str)


def refusal(record: logging.LogRecord) -> str:
    """Django's line about a request (django.utils.log.log_response) without what the client chose; '' for any other.

    Of a failed CSRF check the reason is kept, and not the address that follows its dash.
    """
    if not hasattr(record, "request"):
        return ""
    status = getattr(record, "status_code", None)
    phrase = HTTPStatus(status).phrase if status in HTTP_STATUSES else "Request"
    if record.name == "django.security.csrf" and isinstance(record.args, tuple) and record.args:
        phrase += f" ({str(record.args[0]).partition(' - ')[0]})"
    return phrase


def describe(error: BaseException) -> list[dict[str, Any]]:
    """The exception and what caused it: type, number where it has one, and the lines of code, innermost last."""
    chain: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(chain) < 5:
        number = current.args[0] if current.args and isinstance(current.args[0], int) else None
        frames = traceback.extract_tb(current.__traceback__)
        chain.append(
            {
                "type": f"{type(current).__module__}.{type(current).__qualname__}",
                **({} if number is None else {"number": number}),
                "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
            }
        )
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain


def configuration() -> dict[str, Any]:
    """LOGGING: everything to standard error, which the platform collects."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "mydjango.operations.json_log.JSONFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # Django's own handlers would mail administrators the whole request.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # index.py logs its own sentences; they go the same way.
            "index": {"level": "INFO"},
        },
    }
