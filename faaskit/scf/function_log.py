"""The deployed function's log, one entry for each invocation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import Api, list_all
from faaskit.scf.parameters import name_and_namespace
from faaskit.timers import PLATFORM_TIME
from faaskit.units import MEBIBYTE

TIME = "%Y-%m-%d %H:%M:%S"  # in UTC+8
LONGEST = timedelta(days=1)  # the API refuses a longer range
OVERLAP = timedelta(seconds=60)  # entries arrive late and out of order
POLL_EVERY = 3.0  # seconds
FINISHED = 1


@dataclass(frozen=True)
class Entry:
    """One invocation, without the returned value: a response to a guest may hold personal data."""

    request_id: str
    started: str  # UTC+8
    succeeded: bool
    duration: float  # ms
    billed: int  # ms
    memory: int  # bytes
    retry: int
    text: str

    def __str__(self) -> str:
        outcome = "ok" if self.succeeded else "FAILED"
        head = (
            f"{self.started} {self.request_id} {outcome} {self.duration:.0f} ms, billed {self.billed} ms, "
            f"{self.memory / MEBIBYTE:.0f} MB" + (f", retry {self.retry}" if self.retry else "")
        )
        return "\n".join([head, *(f"    {line}" for line in self.text.splitlines())])


def entries(
    api: Api, config: FunctionConfig, start: datetime, end: datetime, errors: bool = False, request_id: str = ""
) -> list[Entry]:
    """Return the finished invocations that started between two times, earliest first; raises ApiError."""
    limits: dict[str, Any] = {
        "StartTime": max(start, end - LONGEST).astimezone(PLATFORM_TIME).strftime(TIME),
        "EndTime": end.astimezone(PLATFORM_TIME).strftime(TIME),
        "OrderBy": "start_time",
        "Order": "asc",
    }
    if errors:
        limits["Filter"] = {"RetCode": "not0"}
    if request_id:
        limits["FunctionRequestId"] = request_id
    found = list_all(api, "GetFunctionLogs", "Data", **name_and_namespace(config), **limits)
    return [_entry(item) for item in found if item.get("InvokeFinished", FINISHED) == FINISHED]


def follow(
    api: Api,
    config: FunctionConfig,
    start: datetime,
    pause: Callable[[float], None],
    errors: bool = False,
) -> Iterator[Entry]:
    """Yield the invocations from `start` on, each once, without an end; raises ApiError."""
    seen: dict[tuple[str, int], str] = {}
    while True:
        end = datetime.now(PLATFORM_TIME)
        for entry in entries(api, config, start, end, errors):
            key = (entry.request_id, entry.retry)
            if key not in seen:
                seen[key] = entry.started
                yield entry
        start = max(start, end - OVERLAP)
        earliest = start.astimezone(PLATFORM_TIME).strftime(TIME)
        seen = {key: started for key, started in seen.items() if started >= earliest}
        pause(POLL_EVERY)


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(
        request_id=str(item.get("RequestId") or ""),
        started=str(item.get("StartTime") or ""),
        succeeded=item.get("RetCode") == 0,
        duration=float(item.get("Duration") or 0),
        billed=int(item.get("BillDuration") or 0),
        memory=int(item.get("MemUsage") or 0),
        retry=int(item.get("RetryNum") or 0),
        text=str(item.get("Log") or "").rstrip(),
    )
