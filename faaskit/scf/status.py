"""`faaskit status`: the deployed function on one screen."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from faaskit.scf import default_alias, opened, triggers, versions
from faaskit.scf.account import Account, open_account
from faaskit.scf.api import DeployError, failure, find
from faaskit.scf.output import report
from faaskit.scf.parameters import name_and_namespace, web_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `status`."""
    opened.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the status; returns the exit code and raises DeployError."""
    account = open_account(options.folder, stage=options.stage)
    config = account.config
    for each in (web_config(config), config) if config.is_web else (config,):
        for line in _lines(replace(account, config=each)):
            report(line)
    return 0


def _lines(account: Account) -> Iterator[str]:
    """Yield the lines; raises DeployError where there is no function."""
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


def _failed(status: str, function: dict[str, Any]) -> str:
    return f"{status}, {failure(function)}"


def _detail(trigger: dict[str, Any]) -> str:
    """Return the cron and the message of a timer, and the alias of another trigger."""
    if trigger["Type"] != "timer":
        return str(trigger.get("Qualifier") or "")
    description = str(trigger["TriggerDesc"])
    cron = json.loads(description)["cron"] if description.startswith("{") else description
    return f"{cron} {trigger.get('CustomArgument') or ''}".strip()
