"""Replay one event in a fresh instance, or in the deployed function: print the answer, the log and the cost.

`python manage.py invoke`, or `python -m faaskit.local.invoke` in a project without Django.
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
from faaskit.gateways.request import HttpRequest, encoded
from faaskit.local import local_function
from faaskit.local.instance_pool import InstancePool
from faaskit.local.local_function import LocalFunctionError
from faaskit.local.report import InvocationLog

PUBLIC_URL = "http://127.0.0.1:9000"  # what the local gateway would serve


def add_arguments(parser: argparse.ArgumentParser, folder: Path | None = None) -> None:
    """The options of `invoke`."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("event", nargs="?", metavar="EVENT.json", help="a file that holds the event, or - for stdin")
    source.add_argument("--http", nargs=2, metavar=("METHOD", "TARGET"), help="make the event of this HTTP request")
    source.add_argument("--manage", metavar="COMMAND", help="run a management command: --manage 'migrate --noinput'")
    parser.add_argument("--header", action="append", default=[], metavar="NAME: VALUE", help="of --http; repeatable")
    parser.add_argument("--data", metavar="BODY", help="the body of --http; @FILE reads it from a file")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the event")
    parser.add_argument(
        "--remote", action="store_true", help="send it to the deployed function, not to an instance here"
    )
    local_function.add_arguments(parser, folder)


def event_of(options: argparse.Namespace, request_id: str) -> bytes:
    """The event as JSON; LocalFunctionError where there is none to be read."""
    if options.manage is not None:
        return json.dumps({"manage": _words(options.manage)}).encode()
    if options.http:
        built = GATEWAYS[options.gateway].build_event(_request(options, request_id))
        return built if isinstance(built, bytes) else encoded(built)
    try:
        content = sys.stdin.buffer.read() if options.event == "-" else Path(options.event).read_bytes()
        json.loads(content)
    except OSError as error:
        raise LocalFunctionError(f"{options.event} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise LocalFunctionError(f"{options.event} is not JSON: {error}.") from error
    return content


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise LocalFunctionError(f"--manage {command}: it cannot be read: {error}.") from error
    if not words:
        raise LocalFunctionError("--manage: name a command, as in --manage 'migrate --noinput'.")
    return words


def _save(event: bytes, file: Path | None) -> None:
    """Keep the event where --save says."""
    if file is None:
        return
    try:
        file.write_bytes(event)
    except OSError as error:
        raise LocalFunctionError(f"--save {file}: it cannot be written: {error.strerror}.") from error


def public_url(event: Any) -> str:  # noqa: ANN401  (an event is any JSON)
    """Where the event says it was received: a recorded one must find its own host allowed."""
    maps = [event.get(key) for key in ("headers", "multiValueHeaders")] if isinstance(event, dict) else []
    for name, value in [item for headers in maps if isinstance(headers, dict) for item in headers.items()]:
        host = value[0] if isinstance(value, list) and value else value
        if name.lower() == "host" and isinstance(host, str) and not host.startswith("127.0.0.1"):
            return f"https://{host}"
    return PUBLIC_URL


def _request(options: argparse.Namespace, request_id: str) -> HttpRequest:
    """The HTTP request that the options describe, as a client would send it."""
    method, target = options.http
    headers = [("Host", PUBLIC_URL.partition("//")[2]), ("Accept", "*/*")]
    for line in options.header:
        name, colon, value = line.partition(":")
        if not colon:
            raise LocalFunctionError(f"--header {line}: write 'Name: value'.")
        headers.append((name.strip(), value.strip()))
    body = b""
    if options.data is not None:
        body = _data(options.data)
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        headers.append(("Content-Length", str(len(body))))
    return HttpRequest(method.upper(), target, headers, body, scheme="http", request_id=request_id, stage=options.stage)


def _data(argument: str) -> bytes:
    if not argument.startswith("@"):
        return argument.encode()
    try:
        return Path(argument[1:]).read_bytes()
    except OSError as error:
        raise LocalFunctionError(f"{argument[1:]} cannot be read: {error.strerror}.") from error


def succeeded(invocation: Invocation) -> bool:
    """Whether it did what it was asked: no platform error, no HTTP status of 400 or more, no failing command."""
    if invocation.code != SUCCESS:
        return False
    result: Any = invocation.result
    if not isinstance(result, dict):
        return True
    status = result.get("statusCode", 200)
    return result.get("exit_code", 0) == 0 and not (isinstance(status, int) and status >= 400)


def run(options: argparse.Namespace) -> int:
    """Invoke once; the exit code. The answer goes to standard output, all else to standard error."""
    invocation = Invocation()
    event = event_of(options, invocation.request_id)
    _save(event, options.save)
    if options.remote:
        return _run_remote(options, event)
    signal.signal(signal.SIGTERM, _end)
    function = local_function.prepare(options, public_url(json.loads(event)))
    pool = InstancePool(function.launch)
    try:
        pool.invoke(invocation, event, function.context(invocation.request_id))
    finally:
        pool.close()
    status = None
    if invocation.code == SUCCESS:
        result = invocation.result
        status = result.get("statusCode") if isinstance(result, dict) else None
        print(json.dumps(result, ensure_ascii=False, indent=2), flush=True)
    what = options.manage or " ".join(options.http or [options.event])
    InvocationLog(options.as_json, sys.stderr).record(function.launch, invocation, what.partition("?")[0], status)
    return 0 if succeeded(invocation) else 1


def _end(number: int, frame: object) -> None:
    """End as by Control-C: with the instance, and the copy that `--strict` made."""
    sys.exit(128 + number)


def _run_remote(options: argparse.Namespace, event: bytes) -> int:
    """The same in the deployed function, through the official SDK."""
    from faaskit.scf import remote
    from faaskit.scf.account import open_account
    from faaskit.scf.api import DeployError

    try:
        account = open_account(options.folder)
        invocation = remote.invoke(account.api, account.config, json.loads(event))
    except DeployError as error:
        raise LocalFunctionError(str(error)) from error
    if not invocation.error:
        print(json.dumps(invocation.result, ensure_ascii=False, indent=2), flush=True)
    print(invocation.report(), file=sys.stderr)
    return invocation.exit_code


def main(arguments: list[str] | None = None) -> int:
    """The command without Django."""
    parser = argparse.ArgumentParser(prog="python -m faaskit.local.invoke", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args(arguments))
    except LocalFunctionError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
