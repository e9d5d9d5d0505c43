"""Timer triggers: Tencent's seven-field cron, and threads that fire timers when they are due.

The fields are `second minute hour day month week year` in UTC+8; day and week given together mean either (SCF 9708).
croniter reads exactly that with `second_at_beginning`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from croniter import CroniterError, croniter

PLATFORM_TIME = timezone(timedelta(hours=8))
# SCF retries an asynchronous event whose function raises.
RETRIES = 2
RETRY_INTERVAL = timedelta(minutes=1)
MESSAGE_LIMIT = 4096  # bytes


@dataclass(frozen=True)
class Timer:
    """One timer trigger. Raises ValueError for a cron expression or message that the platform would refuse."""

    name: str
    cron: str
    message: str = ""
    enabled: bool = False

    def __post_init__(self) -> None:
        if len(self.cron.split()) != 7:
            raise ValueError(f"timer {self.name}: cron {self.cron!r} has not seven fields (second … week year).")
        try:
            self.schedule(datetime.now(PLATFORM_TIME))
        except CroniterError as error:
            raise ValueError(f"timer {self.name}: cron {self.cron!r} is not valid: {error}.") from error
        if len(self.message.encode()) > MESSAGE_LIMIT:
            raise ValueError(f"timer {self.name}: the message is over {MESSAGE_LIMIT} bytes.")

    def schedule(self, after: datetime) -> Any:  # noqa: ANN401  (croniter has no types)
        """Return an iterator over the times after `after`."""
        return croniter(self.cron, after.astimezone(PLATFORM_TIME), second_at_beginning=True)

    def next_time(self, after: datetime) -> datetime | None:
        """Return the first time after `after`, in UTC+8; None when its years are over."""
        try:
            following: datetime = self.schedule(after).get_next(datetime)
        except CroniterError:
            return None
        return following

    def event(self, at: datetime) -> dict[str, str]:
        """Return the event that the platform sends (SCF 9708)."""
        time = at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"Type": "Timer", "TriggerName": self.name, "Time": time, "Message": self.message}


Fire = Callable[[Timer, dict[str, str]], bool]


def start_timers(timers: Iterable[Timer], fire: Fire) -> None:
    """Call `fire(timer, event)` in a daemon thread whenever a timer is due, for as long as this process runs.

    `fire` returns whether the invocation succeeded; a failed one is retried as the platform does.
    """
    for timer in timers:
        _schedule(timer, datetime.now(PLATFORM_TIME), fire)


def _schedule(timer: Timer, after: datetime, fire: Fire) -> None:
    at = timer.next_time(after)
    if at is None:
        return

    def run() -> None:
        # The clock of threads may be a little early: the same time must not come twice.
        _schedule(timer, max(at, datetime.now(PLATFORM_TIME)), fire)
        _attempt(timer, timer.event(at), fire, RETRIES)

    _call_later(at - datetime.now(PLATFORM_TIME), run)


def _attempt(timer: Timer, event: dict[str, str], fire: Fire, retries: int) -> None:
    if not fire(timer, event) and retries:
        _call_later(RETRY_INTERVAL, lambda: _attempt(timer, event, fire, retries - 1))


def _call_later(delay: timedelta, function: Callable[[], None]) -> None:
    thread = threading.Timer(delay.total_seconds(), function)
    thread.daemon = True
    thread.start()
