"""`faaskit status`: the deployed function on one screen."""

from __future__ import annotations

import argparse
import json
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from faaskit import project
from faaskit.scf import default_alias, function_log, opened, remote, triggers, versions
from faaskit.scf.account import Account, open_account
from faaskit.scf.api import DeployError, failure, find
from faaskit.scf.output import report
from faaskit.scf.parameters import name_and_namespace, web_config
from faaskit.timers import PLATFORM_TIME

ERRORS_SINCE = timedelta(hours=24)
LAST_ERRORS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `status`."""
    opened.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the status; returns the exit code and raises DeployError."""
    account, doctor = open_account(options.folder, stage=options.stage), project.read(options.folder).doctor
    if account.config.is_web:  # a Web function runs no commands
        for line in lines(replace(account, config=web_config(account.config)), ()):
            report(line)
    for line in lines(account, doctor):
        report(line)
    return 0


def lines(account: Account, doctor: Sequence[str]) -> Iterator[str]:
    """Yield the lines, the last errors and what the command `doctor` prints among them; raises DeployError."""
    api, config = account.api, account.config
    function = find(api, "GetFunction", **name_and_namespace(config))
    if function is None:
        raise DeployError(f"There is no function {config.name} in {config.region}.")
    alias = default_alias.read(api, config)
    present = triggers.existing(api, config)
    status = str(function.get("Status"))
    yield f"function  {config.name} in {config.region}: {status if status == 'Active' else _failed(status, function)}"
    yield f"          {function.get('Runtime')}, {function.get('MemorySize')} MB, {function.get('Timeout')} s"
    yield f"url       {triggers.function_url(present) or '-'}"
    canary = f", and {alias.share:.0%} for version {alias.canary}".replace("%", " %") if alias.canary else ""
    yield f"traffic   version {alias.version}{canary}" + (f", before it {alias.previous}" if alias.previous else "")
    published = sorted(versions.published(api, config), key=lambda entry: -int(entry["Version"]))
    yield f"versions  {', '.join(str(entry['Version']) for entry in published) or '-'}"
    yield f"log topic {function.get('ClsTopicId') or '-'}"
    for trigger in present:
        state = "" if trigger.get("Enable") else ", off"
        yield f"{trigger['Type']:<9} {trigger['TriggerName']}: {_detail(trigger)}{state}"
    yield from _headed("errors", _errors(account, function))
    if doctor:
        yield from _headed("doctor", _examination(account, doctor))


def _headed(title: str, found: list[str]) -> Iterator[str]:
    """Yield lines below one another, the title before the first."""
    for line in found:
        yield f"{title:<9} {line}"
        title = ""


def _errors(account: Account, function: Mapping[str, Any]) -> list[str]:
    """Return the last errors of the log, without their tracebacks, or a sentence."""
    if not function.get("ClsTopicId"):
        return ["not known: there is no log topic"]
    now = datetime.now(PLATFORM_TIME)
    try:
        found = function_log.lines(account.api, account.config, now - ERRORS_SINCE, now, level=logging.ERROR)
        last = [str(line).partition("\n")[0] for line in deque(found, maxlen=LAST_ERRORS)]
    except DeployError as error:
        return [f"not known: {error}"]
    hours = ERRORS_SINCE.total_seconds() / 3600
    return last or [f"none in the last {hours:g} hours"]


def _examination(account: Account, command: Sequence[str]) -> list[str]:
    """Return what the command prints in the version that receives traffic."""
    try:
        invocation = remote.invoke(account.api, account.config, remote.manage_event(list(command)))
    except DeployError as error:
        return [str(error)]
    result = invocation.result if isinstance(invocation.result, dict) else {}
    return str(invocation.error or result.get("output") or invocation.result).splitlines() or ["-"]


def _failed(status: str, function: dict[str, Any]) -> str:
    return f"{status}, {failure(function)}"


def _detail(trigger: dict[str, Any]) -> str:
    """Return the cron and the message of a timer, and the alias of another trigger."""
    if trigger["Type"] != "timer":
        return str(trigger.get("Qualifier") or "")
    description = str(trigger["TriggerDesc"])
    cron = json.loads(description)["cron"] if description.startswith("{") else description
    return f"{cron} {trigger.get('CustomArgument') or ''}".strip()
