"""The parameters of the platform's calls, from serverless.yml. Pure: no network, no files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import DeployError

NAMESPACE = "default"
AUTO = "auto"  # of cls: a log topic of the function's own, made here
WEB_SUFFIX = "-web"
DEFAULT_ALIAS = "$DEFAULT"  # every function has it; nobody can delete or rename it (SCF 36149)
ENVIRONMENT_LIMIT = 4096  # bytes, names and values together
REGION = re.compile(r"[a-z]{2}-[a-z]+(-[a-z0-9]+)*")  # ap-guangzhou, na-siliconvalley, ap-shanghai-fsi
INPUTS = {
    *("name", "namespace", "description", "region", "type", "handler", "runtime", "src", "memorySize", "timeout"),
    *("initTimeout", "layers", "vpcConfig", "publicAccess", "eip", "role", "cls", "deadLetter", "cfs", "environment"),
    *("events", "tags", "asyncRunEnable", "instanceConcurrencyConfig"),
}
# What UpdateFunctionConfiguration takes for "none"; a section that the function never had is better left out.
NONE = {
    "VpcConfig": {"VpcId": "", "SubnetId": ""},
    "Role": "",
    "DeadLetterConfig": {"Type": "", "Name": "", "FilterType": ""},
    "CfsConfig": {"CfsInsList": []},
}
SECTIONS = {"VpcConfig": "vpcConfig", "Role": "role", "DeadLetterConfig": "deadLetter", "CfsConfig": "cfs"}


def name_and_namespace(config: FunctionConfig) -> dict[str, str]:
    """Return the parameters that every call about the function has."""
    return {"FunctionName": config.name, "Namespace": str(config.inputs.get("namespace") or NAMESPACE)}


def web_config(config: FunctionConfig) -> FunctionConfig:
    """Return the description of the Web function: the type of a function is fixed, so it has a name of its own."""
    return replace(config, name=config.name + WEB_SUFFIX, inputs={**config.inputs, "type": "web"})


def event_config(config: FunctionConfig) -> FunctionConfig:
    """Return the description of the event function beside a Web function: all but the type is the same."""
    return replace(config, inputs={**config.inputs, "type": "event"})


def validate(config: FunctionConfig) -> None:
    """Raise DeployError where serverless.yml has what a deployment would drop or the platform refuse."""
    unknown = sorted(set(config.inputs) - INPUTS)
    if unknown:
        raise DeployError(
            f"{config.path}: a deployment here does not set {', '.join(unknown)}. Remove the entry and set it in the "
            "console, or deploy with Tencent's own 'scf deploy'."
        )
    if not REGION.fullmatch(config.region):
        raise DeployError(f"{config.path}: region is {config.region!r}: write it as in ap-guangzhou.")
    if config.inputs.get("cls") not in (None, AUTO) and not isinstance(config.inputs["cls"], dict):
        raise DeployError(
            f"{config.path}: cls is {config.inputs['cls']!r}: write logsetId and topicId below it, or 'cls: {AUTO}'."
        )
    configuration(config, config.environment, [])


def configuration(
    config: FunctionConfig, environment: Mapping[str, str], layers: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the parameters that CreateFunction and UpdateFunctionConfiguration share, without unset values.

    Raises DeployError for a network without its subnet and for an environment over the platform's limit.
    """
    inputs = config.inputs
    network = inputs.get("vpcConfig") or {}
    vpc, subnet = str(network.get("vpcId") or ""), str(network.get("subnetId") or "")
    if bool(vpc) != bool(subnet):
        raise DeployError(f"{config.path}: vpcConfig needs vpcId and subnetId, or neither.")
    parameters: dict[str, Any] = {
        **name_and_namespace(config),
        "Description": str(inputs.get("description") or ""),
        "MemorySize": config.memory,
        "Timeout": config.timeout,
        "InitTimeout": config.init_timeout,
        "Environment": {"Variables": variables(config, environment)},
        "Layers": layers,
        # A function in a VPC reaches the public network only where this is enabled: no mail leaves without it.
        "PublicNetConfig": {
            "PublicNetStatus": "DISABLE" if inputs.get("publicAccess") is False else "ENABLE",
            "EipConfig": {"EipStatus": "ENABLE" if inputs.get("eip") is True else "DISABLE"},
        },
    }
    log = {} if inputs.get("cls") in (None, AUTO) else inputs["cls"]
    optional = {
        "Role": inputs.get("role"),
        "VpcConfig": {"VpcId": vpc, "SubnetId": subnet} if vpc else None,
        "InstanceConcurrencyConfig": _concurrency(config) if config.is_web else None,
        "ClsLogsetId": log.get("logsetId"),
        "ClsTopicId": log.get("topicId"),
        "DeadLetterConfig": _capitalised(inputs.get("deadLetter") or {}),
        "CfsConfig": {"CfsInsList": [_file_system(entry) for entry in inputs["cfs"]]} if inputs.get("cfs") else None,
    }
    return parameters | {key: value for key, value in optional.items() if value}


def _concurrency(config: FunctionConfig) -> dict[str, Any]:
    """Return how many requests an instance serves at once; '' turns that off."""
    if config.concurrency == 1:
        return {"DynamicEnabled": ""}
    return {"DynamicEnabled": "FALSE", "MaxConcurrency": config.concurrency}


def _capitalised(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the set entries under the API's names, which begin with a capital."""
    return {key[0].upper() + key[1:]: value for key, value in section.items() if value}


def _file_system(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return one entry of `cfs` with the component's defaults."""
    defaults = {"MountInsId": entry["cfsId"], "UserId": "10000", "UserGroupId": "10000"}
    return defaults | {key: str(value) for key, value in _capitalised(entry).items()}


def variables(config: FunctionConfig, environment: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the environment in the API's form, without empty values, which the platform refuses.

    Raises DeployError over the platform's limit.
    """
    kept = {name: value for name, value in environment.items() if value}
    size = sum(len(f"{name}{value}".encode()) for name, value in kept.items())
    if size > ENVIRONMENT_LIMIT:
        raise DeployError(f"{config.path}: the environment variables are {size} bytes, over {ENVIRONMENT_LIMIT}.")
    return [{"Key": name, "Value": value} for name, value in kept.items()]


def create_function(config: FunctionConfig, shared: dict[str, Any]) -> dict[str, Any]:
    """Return CreateFunction's parameters but the code."""
    return {
        **shared,
        **fixed(config),
        **({} if config.is_web else {"Handler": config.handler}),
        "Type": kind(config),
        "Runtime": str(config.inputs.get("runtime", "")),
    }


def kind(config: FunctionConfig) -> str:
    """Return the API's name of the function's type."""
    return "HTTP" if config.is_web else "Event"


def fixed(config: FunctionConfig) -> dict[str, Any]:
    """Return the parameters of serverless.yml that CreateFunction alone takes."""
    inputs = config.inputs
    parameters: dict[str, Any] = {}
    if inputs.get("tags"):
        parameters["Tags"] = [{"Key": str(key), "Value": str(value)} for key, value in inputs["tags"].items()]
    if "asyncRunEnable" in inputs and not config.is_web:
        parameters["AsyncRunEnable"] = "TRUE" if inputs["asyncRunEnable"] is True else "FALSE"
    return parameters


def update_configuration(shared: dict[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """Return UpdateFunctionConfiguration's parameters; there an entry without a name stands for an empty list."""
    return {
        **shared,
        **{key: NONE[key] for key in leftovers(shared, present)},
        "Layers": shared["Layers"] or [{"LayerName": "", "LayerVersion": 0}],
        "Environment": {"Variables": shared["Environment"]["Variables"] or [{"Key": "", "Value": ""}]},
    }


def leftovers(shared: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """Return the parameters that the function has and serverless.yml no longer has."""
    return [key for key in NONE if key not in shared and _is_set(present.get(key))]


def _is_set(value: Any) -> bool:  # noqa: ANN401  (any JSON)
    return any(map(_is_set, value.values())) if isinstance(value, dict) else bool(value)


def fingerprint(archive: bytes, config: FunctionConfig, shared: dict[str, Any]) -> str:
    """Return the SHA-256 of a version's code and configuration, in hexadecimal."""
    rest = json.dumps([config.handler, config.inputs.get("runtime"), shared], sort_keys=True)
    return hashlib.sha256(hashlib.sha256(archive).digest() + rest.encode()).hexdigest()
