"""Invoke the deployed function: send an event, return its result, the log's tail and the cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.gateways import tencent
from faaskit.gateways.request import Event, HttpRequest
from faaskit.scf.api import Api
from faaskit.scf.parameters import DEFAULT_ALIAS, name_and_namespace
from faaskit.units import MEBIBYTE


@dataclass(frozen=True)
class RemoteInvocation:
    """One invocation, as the platform reports it."""

    result: Any  # the function's return value, None when it raised
    error: str  # the exception, '' when the function returned
    log: str  # the last 4 KB
    request_id: str
    duration: float  # ms
    billed: int  # ms
    memory: int  # bytes, the peak
    memory_limit: int  # MB

    @property
    def gigabyte_seconds(self) -> float:
        """Return the billed amount, memory size times duration."""
        return self.billed / 1000 * self.memory_limit / 1024

    @property
    def exit_code(self) -> int:
        """Return a command's own exit code; else 1 for an exception or an HTTP status of 400 and more, or 0."""
        if self.error:
            return 1
        if not isinstance(self.result, dict):
            return 0
        if "exit_code" in self.result:
            return int(self.result["exit_code"])
        return int(int(self.result.get("statusCode", 200)) >= 400)

    def report(self) -> str:
        """Return the log's tail and the cost, in the format of the platform's own log."""
        lines = [self.log.rstrip()] if self.log else []
        if self.error:
            lines.append(f"ERROR RequestId: {self.request_id} {self.error}")
        lines.append(
            f"Report RequestId: {self.request_id} Duration:{self.duration:.0f}ms BilledDuration:{self.billed}ms "
            f"Memory:{self.memory_limit}MB MemUsage:{self.memory / MEBIBYTE:.2f}MB GBs:{self.gigabyte_seconds:.4f}"
        )
        return "\n".join(lines)


def invoke(api: Api, config: FunctionConfig, event: Any, qualifier: str = DEFAULT_ALIAS) -> RemoteInvocation:  # noqa: ANN401
    """Send one event (any JSON) and wait for the result; raises ApiError."""
    response = api.call(
        "Invoke",
        **name_and_namespace(config),
        Qualifier=qualifier,
        InvocationType="RequestResponse",
        LogType="Tail",
        ClientContext=json.dumps(event, ensure_ascii=False),
    )
    record = response.get("Result") or {}
    message, returned = str(record.get("ErrMsg") or ""), str(record.get("RetMsg") or "")
    failed = bool(record.get("InvokeResult") or message)
    return RemoteInvocation(
        result=None if failed else _decoded(returned),
        error=(message or returned or "unknown error") if failed else "",
        log=str(record.get("Log") or ""),
        request_id=str(record.get("FunctionRequestId") or ""),
        duration=float(record.get("Duration") or 0),
        billed=int(record.get("BillDuration") or 0),
        memory=int(record.get("MemUsage") or 0),
        memory_limit=config.memory,
    )


def _decoded(returned: str) -> Any:  # noqa: ANN401  (any JSON)
    try:
        return json.loads(returned)
    except ValueError:
        return returned  # the platform sends a plain string without its quotes


def manage_event(argv: list[str]) -> dict[str, list[str]]:
    """Return the direct invocation that runs a management command."""
    return {"manage": argv}


def health_event(path: str) -> Event:
    """Return the Function URL event of `GET path`, with the host and scheme of the function's PUBLIC_URL."""
    return tencent.function_url_event(HttpRequest(target=path, headers=[("accept", "application/json")]))
