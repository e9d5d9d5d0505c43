"""The deployed function, invoked: an event goes up, the answer, the log's tail and the cost come back."""

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

GIGABYTE = 1024  # MB


@dataclass(frozen=True)
class RemoteResult:
    """What the platform says of one invocation."""

    answer: Any  # what the function returned, None when it raised
    error: str  # what it raised, '' when it returned
    log: str  # the last 4 KB
    request_id: str
    duration: float  # ms
    billed: int  # ms
    memory: int  # bytes, the peak
    memory_limit: int  # MB

    @property
    def gigabyte_seconds(self) -> float:
        """What is billed: memory size times duration."""
        return self.billed / 1000 * self.memory_limit / GIGABYTE

    @property
    def exit_code(self) -> int:
        """0 for success: a command's own exit code, 1 for an exception or an HTTP status of 400 and more."""
        if self.error or not isinstance(self.answer, dict):
            return 1 if self.error else 0
        if "exit_code" in self.answer:
            return int(self.answer["exit_code"])
        return int(int(self.answer.get("statusCode", 200)) >= 400)

    def report(self) -> str:
        """The log's tail and, in the words of the platform's own log, the cost."""
        lines = [self.log.rstrip()] if self.log else []
        if self.error:
            lines.append(f"ERROR RequestId: {self.request_id} {self.error}")
        lines.append(
            f"Report RequestId: {self.request_id} Duration:{self.duration:.0f}ms BilledDuration:{self.billed}ms "
            f"Memory:{self.memory_limit}MB MemUsage:{self.memory / MEBIBYTE:.2f}MB GBs:{self.gigabyte_seconds:.4f}"
        )
        return "\n".join(lines)


def invoke(api: Api, config: FunctionConfig, event: Any, qualifier: str = DEFAULT_ALIAS) -> RemoteResult:  # noqa: ANN401
    """Send one event (anything that JSON holds) and wait for the answer; raises ApiError."""
    response = api.call(
        "Invoke",
        **name_and_namespace(config),
        Qualifier=qualifier,
        InvocationType="RequestResponse",
        LogType="Tail",
        ClientContext=json.dumps(event, ensure_ascii=False),
    )
    result = response.get("Result") or {}
    failed = result.get("InvokeResult") not in (0, None) or bool(result.get("ErrMsg"))
    returned = str(result.get("RetMsg") or "")
    return RemoteResult(
        answer=None if failed else _decoded(returned),
        error=(str(result.get("ErrMsg") or "") or returned or "unknown error") if failed else "",
        log=str(result.get("Log") or ""),
        request_id=str(result.get("FunctionRequestId") or ""),
        duration=float(result.get("Duration") or 0),
        billed=int(result.get("BillDuration") or 0),
        memory=int(result.get("MemUsage") or 0),
        memory_limit=config.memory,
    )


def _decoded(returned: str) -> Any:  # noqa: ANN401  (any JSON)
    """The returned value; a plain string comes without its quotes."""
    try:
        return json.loads(returned)
    except ValueError:
        return returned


def manage_event(arguments: list[str]) -> dict[str, list[str]]:
    """The direct invocation that runs a management command."""
    return {"manage": arguments}


def health_event(path: str) -> Event:
    """The Function URL event of `GET path`; host and scheme are those of the function's PUBLIC_URL."""
    return tencent.function_url_event(HttpRequest(target=path, headers=[("accept", "application/json")]))
