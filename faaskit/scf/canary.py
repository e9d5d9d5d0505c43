"""A canary: a new version gets a share of the traffic, while the log shows whether it does as well as the old one."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf import function_log
from faaskit.scf.api import Api, Report
from faaskit.timers import PLATFORM_TIME

LEAST = 20  # requests of a version, fewer than which show nothing
ENOUGH_FAILURES = 3  # of a new version; two may be chance
WORSE_RATE = 0.02  # how much higher the share of failures may be than the old version's
SLOWER, PAUSE = (
    1.5,
    100.0,
)  # how many times the old version's median, and ms besides: a new version starts cold more often
POLL_EVERY = 15.0  # seconds
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
# In the JSON of a result, as the platform logs it; in a text within that JSON the quotes have backslashes.
SERVER_ERROR = re.compile(r'(?<!\\)"statusCode": ?5\d\d\b')


def percent(text: str) -> int:
    """Parse the share of a canary; raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= 50:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share of 1 to 50 percent")
    return int(text)


def duration(text: str) -> timedelta:
    """Parse '90s', '10m' or '1h'; raises ArgumentTypeError."""
    match = re.fullmatch(r"(\d{1,4})([smh])", text)
    if not match or not int(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 90s, 10m or 1h")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


@dataclass(frozen=True)
class Canary:
    """What was asked for: the share of the new version, and for how long it is watched."""

    percent: int
    watch: timedelta


@dataclass
class Tally:
    """The requests of one version."""

    durations: dict[str, float] = field(default_factory=dict)  # request id: ms
    failed: set[str] = field(default_factory=set)

    @property
    def rate(self) -> float:
        """Return the share of requests that failed."""
        return len(self.failed & self.durations.keys()) / len(self.durations) if self.durations else 0.0

    @property
    def median(self) -> float:
        """Return the median duration in ms, 0 without requests."""
        return median(self.durations.values()) if self.durations else 0.0

    def add(self, entry: Mapping[str, Any]) -> None:
        """Count an entry of the log: the platform's report, the value that it logs, a line of the project's own."""
        fields = function_log.fields_of(entry)
        request_id, message = str(fields.get("SCF_RequestId") or ""), str(fields.get("SCF_Message") or "")
        is_platform = fields.get("SCF_Type") == "Platform"
        if is_platform and message.startswith("Report "):
            self.durations[request_id] = float(fields.get("SCF_Duration") or 0)
        status = int(fields.get("SCF_StatusCode") or 200)
        failed = is_platform and status not in (200, 202)
        returned = is_platform and message.startswith("Response ") and SERVER_ERROR.search(message)
        own = [] if is_platform else [fields, *map(function_log.record, message.splitlines())]
        if failed or returned or any(500 <= _status(line.get("status")) < 600 for line in own):
            self.failed.add(request_id)

    def __str__(self) -> str:
        failed = len(self.failed & self.durations.keys())
        return f"{len(self.durations)} requests, {failed} failed ({self.rate:.1%}), median {self.median:.0f} ms"


def _status(value: object) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0


def verdict(old: Tally, new: Tally) -> str:
    """Return why the new version is worse, '' where nothing shows that."""
    if len(new.failed) >= ENOUGH_FAILURES and new.rate > old.rate + WORSE_RATE:
        return f"{new.rate:.1%} of its requests failed, and {old.rate:.1%} of the others"
    both = min(len(old.durations), len(new.durations)) >= LEAST
    if both and new.median > SLOWER * old.median + PAUSE:
        return f"its median is {new.median:.0f} ms, and {old.median:.0f} ms of the others"
    return ""


def watch(
    api: Api, config: FunctionConfig, topic: str, versions: tuple[str, str], canary: Canary, report: Report
) -> str:
    """Watch the old and the new version to the end, or until the new one is worse.

    Report what was seen, also where an error or Control-C ends the watch. Return why traffic must go back, '' to go
    on; raises DeployError.
    """
    tallies = {version: Tally() for version in versions}
    new = tallies[versions[1]]
    try:
        worse = _watch(api, config, topic, tallies, canary.watch)
    finally:
        for version, tally in tallies.items():
            report(f"Version {version}: {tally}.")
    if worse:
        return f"version {versions[1]} is worse: {worse}"
    if len(new.durations) < LEAST:
        seen = f"version {versions[1]} had {len(new.durations)} requests, of which {LEAST} are needed to judge"
        return f"{seen}: watch it for longer, or give it a larger share"
    return ""


def _watch(api: Api, config: FunctionConfig, topic: str, tallies: Mapping[str, Tally], length: timedelta) -> str:
    """Fill the tallies of the old and the new version; return why the new one is worse, as soon as it is, or ''."""
    old, new = tallies.values()
    start = datetime.now(PLATFORM_TIME)
    for _ in range(max(1, round(length.total_seconds() / POLL_EVERY))):
        time.sleep(POLL_EVERY)
        # An entry may come late: each poll reads all since the start of the canary, or since the longest delay.
        now = datetime.now(PLATFORM_TIME)
        since = max(start, now - function_log.LATENCY - timedelta(seconds=POLL_EVERY))
        for version, tally in tallies.items():
            query = f'{function_log.query(config)} AND SCF_Qualifier:"{version}"'
            for entry in function_log.search(api, topic, query, since, now):
                tally.add(entry)
        worse = verdict(old, new)
        if worse:
            return worse
    return ""
