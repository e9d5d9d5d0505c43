"""Timer triggers: Tencent's seven-field cron, and the thread that fires timers at their times.

`second minute hour day month week year` in UTC+8; day and week given together mean either of them (SCF 9708). croniter
reads exactly that with `second_at_beginning`.
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
RETRIES = 2  # an asynchronous event whose function raises is retried twice,
RETRY_AFTER = timedelta(minutes=1)  # one minute apart (SCF, asynchronous invocation)
MESSAGE_LIMIT = 4096  # bytes


@dataclass(frozen=True)
class Timer:
    """One timer trigger; a cron expression or message that the platform would refuse raises ValueError."""

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
        """An iterator over the times later than `after`."""
        return croniter(self.cron, after.astimezone(PLATFORM_TIME), second_at_beginning=True)

    def next_time(self, after: datetime) -> datetime | None:
        """The first time later than `after`, in UTC+8; None when its years are over."""
        try:
            following: datetime = self.schedule(after).get_next(datetime)
        except CroniterError:
            return None
        return following

    def event(self, at: datetime) -> dict[str, str]:
        """The event that the platform sends (SCF 9708)."""
        time = at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"Type": "Timer", "TriggerName": self.name, "Time": time, "Message": self.message}


class TimerThread(threading.Thread):
    """Fires each enabled timer at its times by calling `fire(timer, event)`, in a thread of its own each.

    `fire` says whether the invocation succeeded; one that failed is repeated as the platform does.
    """

    def __init__(self, timers: Iterable[Timer], fire: Callable[[Timer, dict[str, str]], bool]) -> None:
        super().__init__(name="timers", daemon=True)
        self._fire = fire
        self._wake = threading.Condition()
        self._order = itertools.count()
        self._stopped = False
        self._due: list[tuple[datetime, int, Timer, int, dict[str, str] | None]] = []
        for timer in timers:
            if timer.enabled:
                self._plan(timer)

    def _plan(self, timer: Timer) -> None:
        """Put the next regular time of a timer on the list."""
        at = timer.next_time(datetime.now(PLATFORM_TIME))
        if at is not None:
            heapq.heappush(self._due, (at, next(self._order), timer, 0, None))

    def run(self) -> None:
        """Wait for the earliest time, fire, plan the timer's next one; until stopped."""
        with self._wake:
            while not self._stopped:
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
            again = datetime.now(PLATFORM_TIME) + RETRY_AFTER
            heapq.heappush(self._due, (again, next(self._order), timer, attempt + 1, event))
            self._wake.notify()

    def stop(self) -> None:
        """Fire no more."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
