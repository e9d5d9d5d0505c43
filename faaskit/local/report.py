"""What the platform's log says of each invocation, and a summary at the end."""

from __future__ import annotations

import json
import math
import statistics
import sys
import threading
from array import array
from typing import TextIO

from faaskit.gateways.invocation import SUCCESS, Invocation
from faaskit.local.instance import Launch
from faaskit.units import MEBIBYTE


def milliseconds(seconds: float) -> str:
    """12.34ms"""
    return f"{seconds * 1000:.2f}ms"


def billed(launch: Launch, invocation: Invocation) -> int:
    """Billed milliseconds: begun ones count whole; AWS bills the start too."""
    seconds = invocation.duration + (invocation.init if launch.platform.bills_start else 0)
    return math.ceil(seconds * 1000)


class InvocationLog:
    """Prints one report an invocation, as text like the platform's or as JSON, and keeps what the summary needs."""

    def __init__(self, as_json: bool = False, stream: TextIO | None = None) -> None:
        self.as_json = as_json
        self.stream = stream or sys.stdout
        self._lock = threading.Lock()
        self.durations = array("d")  # seconds
        self.cold = self.failed = 0
        self.gigabyte_seconds = 0.0

    def record(self, launch: Launch, invocation: Invocation, what: str, status: int | None, note: str = "") -> None:
        """Report one invocation; `what` is `GET /path` (without the query: it may be personal) or the timer's name."""
        cost = billed(launch, invocation)
        write = self._json if self.as_json else self._text
        lines = write(launch, invocation, what, status, note, cost)
        with self._lock:
            self.durations.append(invocation.duration)
            self.cold += invocation.cold
            self.failed += invocation.code != SUCCESS
            self.gigabyte_seconds += cost / 1000 * launch.memory / 1024
            self.stream.write(lines)
            self.stream.flush()

    def _text(self, launch: Launch, invocation: Invocation, what: str, status: int | None, note: str, cost: int) -> str:
        memory = f"Memory:{launch.memory}MB MemUsage:{invocation.peak / MEBIBYTE:.2f}MB"
        lines = []
        if invocation.cold:
            lines.append(
                f"Init Report RequestId: {invocation.request_id} Coldstart:{milliseconds(invocation.init)} "
                f"Instance:{invocation.instance}"
            )
        if invocation.code != SUCCESS:
            lines.append(f"ERROR RequestId: {invocation.request_id} {invocation.code} {invocation.error}")
        if note:
            lines.append(f"WARNING RequestId: {invocation.request_id} {note}")
        lines.append(
            f"Report RequestId: {invocation.request_id} {what} {status or ''} "
            f"Duration:{milliseconds(invocation.duration)} BilledDuration:{cost}ms {memory}"
        )
        return "\n".join(lines) + "\n"

    def _json(self, launch: Launch, invocation: Invocation, what: str, status: int | None, note: str, cost: int) -> str:
        report = {
            "request_id": invocation.request_id,
            "what": what,
            "status": status,
            "code": invocation.code,
            "error": invocation.error,
            "note": note,
            "cold": invocation.cold,
            "init_ms": round(invocation.init * 1000, 3),
            "duration_ms": round(invocation.duration * 1000, 3),
            "billed_ms": cost,
            "memory_mb": launch.memory,
            "peak_mb": round(invocation.peak / MEBIBYTE, 2),
            "instance": invocation.instance,
        }
        return json.dumps(report, ensure_ascii=False) + "\n"

    def summary(self) -> dict[str, float]:
        """Figures over all invocations; durations in milliseconds."""
        with self._lock:
            figures: dict[str, float] = {
                "invocations": len(self.durations),
                "failed": self.failed,
                "cold_starts": self.cold,
                "gb_seconds": round(self.gigabyte_seconds, 4),
            }
            if self.durations:
                cuts = [self.durations[0]] * 99
                if len(self.durations) > 1:
                    cuts = statistics.quantiles(self.durations, n=100, method="inclusive")
                figures |= {f"p{percent}_ms": round(cuts[percent - 1] * 1000, 2) for percent in (50, 95, 99)}
        return figures

    def print_summary(self) -> None:
        """The summary as one line."""
        figures = self.summary()
        if self.as_json:
            print(json.dumps({"summary": figures}), file=self.stream, flush=True)
            return
        print("Summary " + " ".join(f"{name}:{value}" for name, value in figures.items()), file=self.stream, flush=True)
