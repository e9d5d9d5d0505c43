"""The function's published versions: code and configuration that never change again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import Api, list_all, wait_until_active
from faaskit.scf.parameters import name_and_namespace

PREFIX = "manage.py deploy "  # begins the description of every version that was published here
BESIDE = " beside version "  # and that of the event function, behind the fingerprint of a Web function
KEPT = 5  # versions to go back to, beside the one that receives traffic and the one before it


def published(api: Api, config: FunctionConfig) -> list[dict[str, Any]]:
    """Return the versions as the API lists them, without `$LATEST`; raises ApiError."""
    versions = list_all(api, "ListVersionByFunction", "Versions", **name_and_namespace(config))
    return [version for version in versions if str(version["Version"]).isdecimal()]


def fingerprint_of(api: Api, config: FunctionConfig, version: str) -> str:
    """Return the fingerprint that a version was published with, or ''; raises ApiError."""
    for entry in published(api, config) if version.isdecimal() else []:
        if str(entry["Version"]) == version:
            return str(entry.get("Description") or "").partition(PREFIX)[2].partition(BESIDE)[0]
    return ""


def pair_of(api: Api, config: FunctionConfig, version: str) -> str:
    """Return the version of the event function that a Web function's version was published with, or ''."""
    for entry in published(api, config):
        if str(entry["Version"]) == version:
            return str(entry.get("Description") or "").partition(BESIDE)[2]
    return ""


def publish(api: Api, config: FunctionConfig, fingerprint: str, pair: str = "") -> tuple[str, dict[str, Any]]:
    """Publish $LATEST, described by its fingerprint and by the version of the function beside it.

    Return the version and its detail. Raises DeployError.
    """
    names = name_and_namespace(config)
    description = PREFIX + fingerprint + (BESIDE + pair if pair else "")
    version = str(api.call("PublishVersion", **names, Description=description)["FunctionVersion"])
    return version, wait_until_active(api, f"Version {version}", "GetFunction", **names, Qualifier=version)


def code_hash(api: Api, config: FunctionConfig, version: str) -> str:
    """Return the SHA-256 of a version's archive as the platform computes it; raises ApiError."""
    response = api.call("GetFunctionAddress", **name_and_namespace(config), Qualifier=version)
    return str(response.get("CodeSha256") or "")


def has_configuration(detail: Mapping[str, Any], shared: Mapping[str, Any]) -> bool:
    """Return whether a version has the environment and the layers that it was published with."""
    return all(_configured(detail, key) == _configured(shared, key) for key in ("Environment", "Layers"))


def _configured(parameters: Mapping[str, Any], key: str) -> list[tuple[str, str]]:
    if key == "Environment":
        variables = (parameters.get(key) or {}).get("Variables") or []
        return sorted((entry["Key"], entry["Value"]) for entry in variables if entry["Key"])
    layers = parameters.get(key) or []
    return [(entry["LayerName"], str(entry["LayerVersion"])) for entry in layers if entry["LayerName"]]


def delete(api: Api, config: FunctionConfig, version: str) -> None:
    """Delete one version; raises ApiError."""
    api.call("DeleteFunctionVersion", **name_and_namespace(config), Qualifier=version)


def prune(api: Api, config: FunctionConfig, keep: Collection[str]) -> None:
    """Delete the oldest versions that were published here: an account may keep only so many. Raises ApiError."""
    ours = [
        str(entry["Version"])
        for entry in published(api, config)
        if str(entry.get("Description") or "").startswith(PREFIX) and str(entry["Version"]) not in keep
    ]
    for version in sorted(ours, key=int)[:-KEPT]:
        delete(api, config, version)
