"""The parameters of the platform's calls, from serverless.yml. Pure: no network, no files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import DeployError

NAMESPACE = "default"
DEFAULT_ALIAS = "$DEFAULT"  # every function has it; nobody can delete or rename it (SCF 36149)
ENVIRONMENT_LIMIT = 4096  # bytes, names and values together


def name_and_namespace(config: FunctionConfig) -> dict[str, str]:
    """Return the parameters that every call about the function has."""
    return {"FunctionName": config.name, "Namespace": str(config.inputs.get("namespace") or NAMESPACE)}


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
    log, dead_letter = inputs.get("cls") or {}, inputs.get("deadLetter") or {}
    optional = {
        "Role": inputs.get("role"),
        "VpcConfig": {"VpcId": vpc, "SubnetId": subnet} if vpc else None,
        "ClsLogsetId": log.get("logsetId"),
        "ClsTopicId": log.get("topicId"),
        "DeadLetterConfig": {key[0].upper() + key[1:]: value for key, value in dead_letter.items() if value},
    }
    return parameters | {key: value for key, value in optional.items() if value}


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
    """Return CreateFunction's parameters but the code; raises DeployError for another type than event."""
    if config.inputs.get("type", "event") != "event":
        raise DeployError(f"{config.path}: type is {config.inputs['type']!r}; index.py serves event functions.")
    return {**shared, "Type": "Event", "Handler": config.handler, "Runtime": str(config.inputs.get("runtime", ""))}


def update_configuration(shared: dict[str, Any]) -> dict[str, Any]:
    """Return UpdateFunctionConfiguration's parameters; there an entry without a name stands for an empty list."""
    return {
        **shared,
        "Layers": shared["Layers"] or [{"LayerName": "", "LayerVersion": 0}],
        "Environment": {"Variables": shared["Environment"]["Variables"] or [{"Key": "", "Value": ""}]},
    }


def fingerprint(archive: bytes, config: FunctionConfig, shared: dict[str, Any]) -> str:
    """Return the SHA-256 of a version's code and configuration, in hexadecimal."""
    rest = json.dumps([config.handler, config.inputs.get("runtime"), shared], sort_keys=True)
    return hashlib.sha256(hashlib.sha256(archive).digest() + rest.encode()).hexdigest()
