"""Send one event to a fresh instance, or to the deployed function; print the result, the log and the cost.

`faaskit invoke`, or `python manage.py invoke`.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

from faaskit.gateways.invocation import SUCCESS, Invocation
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.request import HttpRequest, encode
from faaskit.local import local_function
from faaskit.local.instance_pool import InstancePool
from faaskit.local.local_function import LocalFunctionError
from faaskit.local.preparation import prepare_project
from faaskit.local.report import InvocationLog

PUBLIC_URL = "http://127.0.0.1:9000"  # where serve does by default


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `invoke`."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("event", nargs="?", metavar="EVENT.json", help="a file that holds the event, or - for stdin")
    source.add_argument("--http", nargs=2, metavar=("METHOD", "TARGET"), help="build the event from this HTTP request")
    source.add_argument("--manage", metavar="COMMAND", help="run a management command: --manage 'migrate --noinput'")
    parser.add_argument("--header", action="append", default=[], metavar="NAME: VALUE", help="of --http; repeatable")
    parser.add_argument("--data", metavar="BODY", help="the body of --http; @FILE reads it from a file")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the event to a file")
    parser.add_argument("--gateway", choices=sorted(GATEWAYS), default="function-url", help="default: function-url")
    parser.add_argument("--remote", action="store_true", help="send the event to the deployed function instead")
    local_function.add_arguments(parser)


def build_event(options: argparse.Namespace, request_id: str) -> bytes:
    """Return the event as JSON. Raises LocalFunctionError where the options or a file give none."""
    if options.manage is not None:
        return json.dumps({"manage": _argv(options.manage)}).encode()
    if options.http:
        event = GATEWAYS[options.gateway].build_event(_request(options, request_id))
        return event if isinstance(event, bytes) else encode(event)
    content = sys.stdin.buffer.read() if options.event == "-" else _read(options.event)
    try:
        json.loads(content)
    except ValueError as error:
        raise LocalFunctionError(f"{options.event} is not JSON: {error}.") from error
    return content


def _argv(command: str) -> list[str]:
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise LocalFunctionError(f"--manage {command}: it cannot be read: {error}.") from error
    if not argv:
        raise LocalFunctionError("--manage: name a command, as in --manage 'migrate --noinput'.")
    return argv


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise LocalFunctionError(f"{file} cannot be read: {error.strerror}.") from error


def public_url(event: Any) -> str:  # noqa: ANN401  (an event is any JSON)
    """Return the origin that the event names, so that a recorded event finds its host allowed."""
    maps = [event.get(key) for key in ("headers", "multiValueHeaders")] if isinstance(event, dict) else []
    for name, value in [item for headers in maps if isinstance(headers, dict) for item in headers.items()]:
        host = value[0] if isinstance(value, list) and value else value
        if name.lower() == "host" and isinstance(host, str) and not host.startswith("127.0.0.1"):
            return f"https://{host}"
    return PUBLIC_URL


def _request(options: argparse.Namespace, request_id: str) -> HttpRequest:
    """Return the HTTP request that --http, --header and --data describe."""
    method, target = options.http
    headers = [("Host", PUBLIC_URL.partition("//")[2]), ("Accept", "*/*")]
    for line in options.header:
        name, colon, value = line.partition(":")
        if not colon:
            raise LocalFunctionError(f"--header {line}: write 'Name: value'.")
        headers.append((name.strip(), value.strip()))
    body = b""
    if options.data is not None:
        body = _read(options.data[1:]) if options.data.startswith("@") else options.data.encode()
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        headers.append(("Content-Length", str(len(body))))
    return HttpRequest(
        method.upper(), target, headers, body, scheme="http", request_id=request_id, stage=options.gateway_stage
    )


def succeeded(invocation: Invocation) -> bool:
    """Return whether there was no platform error, no HTTP status of 400 or more and no failing command."""
    if invocation.code != SUCCESS:
        return False
    result: Any = invocation.result
    if not isinstance(result, dict):
        return True
    status = result.get("statusCode", 200)
    return result.get("exit_code", 0) == 0 and not (isinstance(status, int) and status >= 400)


def run(options: argparse.Namespace) -> int:
    """Invoke once and return the exit code. The result goes to standard output, all else to standard error.

    Raises LocalFunctionError and ProjectError.
    """
    invocation = Invocation()
    event = build_event(options, invocation.request_id)
    if options.save is not None:
        try:
            options.save.write_bytes(event)
        except OSError as error:
            raise LocalFunctionError(f"--save {options.save}: it cannot be written: {error.strerror}.") from error
    if options.remote:
        return _invoke_remotely(options, event)
    # End as by Control-C: with the instance, and the copy of the database that --strict makes.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    function = local_function.prepare(options, public_url(json.loads(event)))
    prepare_project(options, function)
    pool = InstancePool(function.launch)
    try:
        pool.run_event(invocation, event, function.context(invocation.request_id))
    finally:
        pool.close()
    status = None
    if invocation.code == SUCCESS:
        result = invocation.result
        status = result.get("statusCode") if isinstance(result, dict) else None
        print(json.dumps(result, ensure_ascii=False, indent=2), flush=True)
    source = options.manage or " ".join(options.http or [options.event])
    InvocationLog(options.as_json, sys.stderr).record(function.launch, invocation, source.partition("?")[0], status)
    return 0 if succeeded(invocation) else 1


def _invoke_remotely(options: argparse.Namespace, event: bytes) -> int:
    """Invoke the deployed function through the official SDK."""
    from faaskit.scf import remote
    from faaskit.scf.account import open_account
    from faaskit.scf.api import DeployError

    try:
        account = open_account(options.folder, stage=options.stage)
        invocation = remote.invoke(account.api, account.config, json.loads(event))
    except DeployError as error:
        raise LocalFunctionError(str(error)) from error
    if not invocation.error:
        print(json.dumps(invocation.result, ensure_ascii=False, indent=2), flush=True)
    print(invocation.report(), file=sys.stderr)
    return invocation.exit_code
