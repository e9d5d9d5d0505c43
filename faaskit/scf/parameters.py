"""serverless.yml -> the parameters of the platform's calls. Pure: no network, no files."""

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
    """What every call about the function carries."""
    return {"FunctionName": config.name, "Namespace": str(config.inputs.get("namespace") or NAMESPACE)}


def settings(config: FunctionConfig, environment: Mapping[str, str], layers: list[dict[str, Any]]) -> dict[str, Any]:
    """What CreateFunction and UpdateFunctionConfiguration share; a value that is not set is left out."""
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
        # Beside a VPC the way out has to be asked for: without it no mail leaves.
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
    """The environment as the platform takes it; an empty value is refused there, so it is left out here."""
    kept = {name: value for name, value in environment.items() if value}
    size = sum(len(f"{name}{value}".encode()) for name, value in kept.items())
    if size > ENVIRONMENT_LIMIT:
        raise DeployError(f"{config.path}: the environment variables are {size} bytes, over {ENVIRONMENT_LIMIT}.")
    return [{"Key": name, "Value": value} for name, value in kept.items()]


def create_function(config: FunctionConfig, settings: dict[str, Any]) -> dict[str, Any]:
    """The parameters of CreateFunction, all but the code."""
    if config.inputs.get("type", "event") != "event":
        raise DeployError(f"{config.path}: type is {config.inputs['type']!r}; index.py serves event functions.")
    return {
        **settings,
        "Type": "Event",
        "Handler": config.handler,
        "Runtime": str(config.inputs.get("runtime", "")),
    }


def update_configuration(settings: dict[str, Any]) -> dict[str, Any]:
    """The parameters of UpdateFunctionConfiguration, where nothing is said by an entry without a name."""
    return {
        **settings,
        "Layers": settings["Layers"] or [{"LayerName": "", "LayerVersion": 0}],
        "Environment": {"Variables": settings["Environment"]["Variables"] or [{"Key": "", "Value": ""}]},
    }


def fingerprint(archive: bytes, config: FunctionConfig, settings: dict[str, Any]) -> str:
    """SHA-256 of everything that a version consists of."""
    rest = json.dumps([config.handler, config.inputs.get("runtime"), settings], sort_keys=True)
    return hashlib.sha256(hashlib.sha256(archive).digest() + rest.encode()).hexdigest()
