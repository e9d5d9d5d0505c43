"""Report each invocation as the platform's log does, and summarise all of them at the end."""

from __future__ import annotations

import json
import math
import statistics
import sys
import threading
from array import array
from typing import Any, TextIO

from faaskit.gateways.invocation import SUCCESS, Invocation
from faaskit.local.instance import Launch
from faaskit.units import MEBIBYTE


class InvocationLog:
    """Print one report for each invocation, as text like the platform's or as JSON, and collect the summary."""

    def __init__(self, as_json: bool = False, stream: TextIO | None = None) -> None:
        self.as_json = as_json
        self.stream = stream or sys.stdout
        self._lock = threading.Lock()
        self._durations = array("d")  # milliseconds
        self._cold = self._failed = 0
        self._gigabyte_seconds = 0.0

    def record(self, launch: Launch, invocation: Invocation, source: str, status: int | None, note: str = "") -> None:
        """Report one invocation; `source` is `GET /path`, a timer's name or a file.

        The query, which may be personal data, is left out by the caller.
        """
        # Begun milliseconds count whole; AWS bills the start too.
        seconds = invocation.duration + (invocation.init if launch.platform.bills_start else 0)
        billed = math.ceil(seconds * 1000)
        report = {
            "request_id": invocation.request_id,
            "what": source,
            "status": status,
            "code": invocation.code,
            "error": invocation.error,
            "note": note,
            "cold": invocation.cold,
            "init_ms": round(invocation.init * 1000, 3),
            "duration_ms": round(invocation.duration * 1000, 3),
            "billed_ms": billed,
            "memory_mb": launch.memory,
            "peak_mb": round(invocation.peak / MEBIBYTE, 2),
            "instance": invocation.instance,
        }
        with self._lock:
            self._durations.append(invocation.duration * 1000)
            self._cold += invocation.cold
            self._failed += invocation.code != SUCCESS
            self._gigabyte_seconds += billed / 1000 * launch.memory / 1024
            text = json.dumps(report, ensure_ascii=False) if self.as_json else _as_text(report)
            print(text, file=self.stream, flush=True)

    def print_summary(self) -> None:
        """Print one line: durations are percentiles in milliseconds."""
        with self._lock:
            figures: dict[str, float] = {
                "invocations": len(self._durations),
                "failed": self._failed,
                "cold_starts": self._cold,
                "gb_seconds": round(self._gigabyte_seconds, 4),
            }
            if self._durations:
                # quantiles() wants two values at least.
                several = self._durations if len(self._durations) > 1 else self._durations * 2
                cuts = statistics.quantiles(several, n=100, method="inclusive")
                figures |= {f"p{percent}_ms": round(cuts[percent - 1], 2) for percent in (50, 95, 99)}
        text = "Summary " + " ".join(f"{name}:{value}" for name, value in figures.items())
        print(json.dumps({"summary": figures}) if self.as_json else text, file=self.stream, flush=True)


def _as_text(report: dict[str, Any]) -> str:
    request = f"RequestId: {report['request_id']}"
    lines = []
    if report["cold"]:
        lines.append(f"Init Report {request} Coldstart:{report['init_ms']:.2f}ms Instance:{report['instance']}")
    if report["code"] != SUCCESS:
        lines.append(f"ERROR {request} {report['code']} {report['error']}")
    if report["note"]:
        lines.append(f"WARNING {request} {report['note']}")
    lines.append(
        f"Report {request} {report['what']} {report['status'] or ''} Duration:{report['duration_ms']:.2f}ms "
        f"BilledDuration:{report['billed_ms']}ms Memory:{report['memory_mb']}MB MemUsage:{report['peak_mb']:.2f}MB"
    )
    return "\n".join(lines)
