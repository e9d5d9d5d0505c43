"""The function's triggers: those of serverless.yml, those of the platform, and the calls that make them equal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import Api, DeployError, ResourceNotFound, list_all
from faaskit.scf.parameters import DEFAULT_ALIAS, name_and_namespace

HTTP_NAME = "url-trigger"  # the component's default name of a Function URL
HEALTH_NAME = "health-"  # begins the name of a Function URL on one version
FUNCTION_URL = "'http: {parameters: {qualifier: $DEFAULT, authType: NONE, netConfig: {enableExtranet: true}}}'"


def wanted(config: FunctionConfig) -> list[dict[str, str]]:
    """Return CreateTrigger's parameters, without the function's name, for each event of serverless.yml.

    Raises DeployError for an event that is neither http nor timer.
    """
    triggers = []
    for event in config.inputs.get("events") or []:
        [(kind, section)] = event.items()
        parameters = (section or {}).get("parameters") or {}
        if kind == "http":
            triggers.append(_http(parameters))
        elif kind == "timer":
            triggers.append(_timer(parameters))
        elif kind == "apigw":
            raise DeployError(
                f"{config.path}: Tencent ended API Gateway on 2025-06-30. Write a Function URL in place of 'apigw': "
                f"{FUNCTION_URL}."
            )
        else:
            raise DeployError(f"{config.path}: events may be http or timer here, not {kind!r}.")
    return triggers


def health_url(version: str) -> dict[str, str]:
    """Return CreateTrigger's parameters of a Function URL on one version, by which its health is checked."""
    parameters = {"name": HEALTH_NAME + version.strip("$"), "qualifier": version, "netConfig": {"enableExtranet": True}}
    return _http(parameters)


def _http(parameters: Mapping[str, Any]) -> dict[str, str]:
    network = parameters.get("netConfig") or {}
    description: dict[str, Any] = {
        "AuthType": parameters.get("authType") or "NONE",
        "NetConfig": {
            "EnableIntranet": network.get("enableIntranet") is True,
            "EnableExtranet": network.get("enableExtranet") is True,
        },
    }
    if parameters.get("corsConfig"):
        description["CorsConfig"] = {key[0].upper() + key[1:]: value for key, value in parameters["corsConfig"].items()}
    return {
        "Type": "http",
        "TriggerName": str(parameters.get("name") or HTTP_NAME),
        "TriggerDesc": json.dumps(description),
        "Qualifier": str(parameters.get("qualifier") or DEFAULT_ALIAS),
        "Enable": "CLOSE" if parameters.get("enable") is False else "OPEN",
    }


def _timer(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Type": "timer",
        "TriggerName": str(parameters["name"]),
        "TriggerDesc": str(parameters["cronExpression"]),
        "CustomArgument": str(parameters.get("argument") or ""),
        "Qualifier": str(parameters.get("qualifier") or DEFAULT_ALIAS),
        "Enable": "OPEN" if parameters.get("enable") is True else "CLOSE",
    }


def existing(api: Api, config: FunctionConfig) -> list[dict[str, Any]]:
    """Return the function's triggers as the API lists them, none before there is a function; raises ApiError."""
    try:
        return list(list_all(api, "ListTriggers", "Triggers", **name_and_namespace(config)))
    except ResourceNotFound:
        return []


def function_url(triggers: list[dict[str, Any]]) -> str:
    """Return the public address of the Function URL among the triggers, without a slash at the end, or ''."""
    for trigger in triggers:
        if trigger["Type"] == "http":
            return str(json.loads(trigger["TriggerDesc"]).get("NetConfig", {}).get("ExtranetUrl") or "").rstrip("/")
    return ""


def synchronise(api: Api, config: FunctionConfig, kinds: tuple[str, ...], present: list[dict[str, Any]]) -> list[str]:
    """Give the function the triggers of serverless.yml; returns one line for each change and raises DeployError.

    Only triggers of these kinds on the default alias are changed.
    """
    done = []
    left = {_key(trigger): trigger for trigger in present if trigger["Type"] in kinds}
    for trigger in wanted(config):
        if trigger["Type"] not in kinds:
            continue
        old = left.pop(_key(trigger), None)
        if old is None:
            api.call("CreateTrigger", **name_and_namespace(config), **trigger)
            done.append(f"created {trigger['TriggerName']}")
        elif not _same(old, trigger):
            api.call("UpdateTrigger", **name_and_namespace(config), **(trigger | {"TriggerName": old["TriggerName"]}))
            done.append(f"updated {old['TriggerName']}")
    for old in left.values():
        if old.get("Qualifier", DEFAULT_ALIAS) == DEFAULT_ALIAS:
            chosen = {key: old[key] for key in ("TriggerName", "Type")}
            api.call("DeleteTrigger", **name_and_namespace(config), **chosen, Qualifier=DEFAULT_ALIAS)
            done.append(f"deleted {old['TriggerName']}")
    return done


def _key(trigger: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the identity of a trigger: an alias has one Function URL, and timers differ by name."""
    alias = str(trigger.get("Qualifier") or DEFAULT_ALIAS)
    return ("http", alias) if trigger["Type"] == "http" else (trigger["Type"], alias, trigger["TriggerName"])


def _same(old: Mapping[str, Any], new: Mapping[str, str]) -> bool:
    """Return whether a listed trigger (Enable 1 or 0, cron as JSON, addresses added) equals a wanted one."""
    if bool(old.get("Enable")) != (new["Enable"] == "OPEN"):
        return False
    if new["Type"] == "timer":
        cron = old["TriggerDesc"]
        cron = json.loads(cron)["cron"] if cron.startswith("{") else cron
        return bool(cron == new["TriggerDesc"] and (old.get("CustomArgument") or "") == new["CustomArgument"])
    return _contains(json.loads(old["TriggerDesc"]), json.loads(new["TriggerDesc"]))


def _contains(old: Any, new: Any) -> bool:  # noqa: ANN401  (any JSON)
    """Return whether `old` has every value of `new`; the platform adds others."""
    if isinstance(new, dict):
        return isinstance(old, dict) and all(_contains(old.get(key), value) for key, value in new.items())
    return bool(old == new)
