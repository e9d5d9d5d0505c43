"""The function's published versions: code and configuration that never change again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import Api, list_all, wait_until_active
from faaskit.scf.parameters import name_and_namespace

PREFIX = "manage.py deploy "  # begins the description of every version that was published here
KEPT = 5  # versions to go back to, beside the one that receives traffic and the one before it


def published(api: Api, config: FunctionConfig) -> list[dict[str, Any]]:
    """Return the versions as the API lists them, without `$LATEST`; raises ApiError."""
    versions = list_all(api, "ListVersionByFunction", "Versions", **name_and_namespace(config))
    return [version for version in versions if str(version["Version"]).isdecimal()]


def fingerprint_of(api: Api, config: FunctionConfig, version: str) -> str:
    """Return the fingerprint that a version was published with, or ''; raises ApiError."""
    for entry in published(api, config) if version.isdecimal() else []:
        if str(entry["Version"]) == version:
            return str(entry.get("Description") or "").partition(PREFIX)[2]
    return ""


def publish(api: Api, config: FunctionConfig, fingerprint: str, pause: Callable[[float], None]) -> str:
    """Publish $LATEST with its fingerprint in the description and return the version; raises DeployError."""
    names = name_and_namespace(config)
    version = str(api.call("PublishVersion", **names, Description=PREFIX + fingerprint)["FunctionVersion"])
    wait_until_active(api, pause, f"Version {version}", "GetFunction", **names, Qualifier=version)
    return version


def prune(api: Api, config: FunctionConfig, keep: Collection[str]) -> None:
    """Delete the oldest versions that were published here: an account may keep only so many. Raises ApiError."""
    if api.dry_run:
        return
    ours = [
        str(entry["Version"])
        for entry in published(api, config)
        if str(entry.get("Description") or "").startswith(PREFIX) and str(entry["Version"]) not in keep
    ]
    for version in sorted(ours, key=int)[:-KEPT]:
        api.call("DeleteFunctionVersion", **name_and_namespace(config), Qualifier=version)
