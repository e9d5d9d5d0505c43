"""Timer triggers: Tencent's seven-field cron, and a thread that fires timers when they are due.

The fields are `second minute hour day month week year` in UTC+8; day and week given together mean either (SCF 9708).
croniter reads exactly that with `second_at_beginning`.
"""

from __future__ import annotations

import heapq
import itertools
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


class TimerThread(threading.Thread):
    """Call `fire(timer, event)`, each time in its own thread, whenever an enabled timer is due.

    `fire` returns whether the invocation succeeded; a failed one is retried as the platform does.
    """

    def __init__(self, timers: Iterable[Timer], fire: Callable[[Timer, dict[str, str]], bool]) -> None:
        super().__init__(name="timers", daemon=True)
        self._fire = fire
        self._wake = threading.Condition()
        self._order = itertools.count()
        self._due: list[tuple[datetime, int, Timer, int, dict[str, str] | None]] = []
        for timer in timers:
            if timer.enabled:
                self._plan(timer)

    def _plan(self, timer: Timer) -> None:
        """Schedule the next regular time of a timer."""
        at = timer.next_time(datetime.now(PLATFORM_TIME))
        if at is not None:
            heapq.heappush(self._due, (at, next(self._order), timer, 0, None))

    def run(self) -> None:
        """Wait for the earliest time, fire, schedule the timer's next time; for as long as the process runs."""
        with self._wake:
            while True:
                now = datetime.now(PLATFORM_TIME)
                if not self._due or self._due[0][0] > now:
                    self._wake.wait((self._due[0][0] - now).total_seconds() if self._due else None)
                    continue
                at, _, timer, attempt, event = heapq.heappop(self._due)
                if event is None:
                    self._plan(timer)
                    event = timer.event(at)
                threading.Thread(target=self._attempt, args=(timer, event, attempt), daemon=True).start()

    def _attempt(self, timer: Timer, event: dict[str, str], attempt: int) -> None:
        if self._fire(timer, event) or attempt >= RETRIES:
            return
        with self._wake:
            again = datetime.now(PLATFORM_TIME) + RETRY_INTERVAL
            heapq.heappush(self._due, (again, next(self._order), timer, attempt + 1, event))
            self._wake.notify()
