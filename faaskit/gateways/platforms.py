"""The platforms behind the gateways: their limits, and the environment and context of a function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.units import MEBIBYTE


@dataclass(frozen=True)
class Platform:
    """`kind` selects the runtime's context: scf, lambda or fc."""

    kind: str
    payload_limit: int = 6 * MEBIBYTE  # bytes of the event, and of the result, as JSON
    event_is_bytes: bool = False
    bills_start: bool = False  # AWS bills the initialisation since 2025-08


# Of this machine's environment an instance gets only what a process needs to run.
INHERITED = ("PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")

SCF = Platform("scf")
LAMBDA = Platform("lambda", bills_start=True)
ALB = Platform("lambda", payload_limit=MEBIBYTE, bills_start=True)
FC = Platform("fc", event_is_bytes=True)


def environment(platform: Platform, config: FunctionConfig, memory: int, folder: str) -> dict[str, str]:
    """Return the variables that the platform sets."""
    if platform.kind == "scf":
        return {
            "TENCENTCLOUD_RUNENV": "SCF",
            "TENCENTCLOUD_REGION": config.region,
            "SCF_FUNCTIONNAME": config.name,
            "SCF_FUNCTIONVERSION": "$LATEST",
            "SCF_NAMESPACE": "default",
            "SCF_RUNTIME": "Python3.10",
            "USER_CODE_ROOT": folder,
        }
    if platform.kind == "lambda":
        return {
            "AWS_LAMBDA_FUNCTION_NAME": config.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
            "AWS_REGION": "eu-west-1",
            "LAMBDA_TASK_ROOT": folder,
        }
    return {
        "FC_FUNCTION_NAME": config.name,
        "FC_FUNCTION_HANDLER": config.handler,
        "FC_FUNCTION_MEMORY_SIZE": str(memory),
        "FC_REGION": "cn-hangzhou",
    }


def context(
    platform: Platform, config: FunctionConfig, request_id: str, memory: int, timeout: float, variables: dict[str, str]
) -> dict[str, Any]:
    """Return the fields of the context, from which the runtime makes AWS's and Aliyun's objects."""
    milliseconds = int(timeout * 1000)
    if platform.kind == "scf":
        return {
            "memory_limit_in_mb": memory,
            "time_limit_in_ms": milliseconds,
            "request_id": request_id,
            "environment": json.dumps(variables),
            "environ": ";".join(f"{name}={value}" for name, value in variables.items()),
            "function_version": "$LATEST",
            "function_name": config.name,
            "namespace": "default",
            "tencentcloud_region": config.region,
        }
    if platform.kind == "lambda":
        return {
            "aws_request_id": request_id,
            "function_name": config.name,
            "function_version": "$LATEST",
            "invoked_function_arn": f"arn:aws:lambda:eu-west-1:123456789012:function:{config.name}",
            "memory_limit_in_mb": str(memory),
            "log_group_name": f"/aws/lambda/{config.name}",
            "log_stream_name": "local",
            "time_limit_in_ms": milliseconds,
        }
    return {"request_id": request_id, "account_id": "1234567890123456", "region": "cn-hangzhou"}
