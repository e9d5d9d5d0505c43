"""The function's published versions: code and configuration that never change again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import Api, wait_until_active
from faaskit.scf.parameters import name_and_namespace

PREFIX = "manage.py deploy "  # begins the description of every version that was published here
KEPT = 5  # versions to go back to, beside the one that serves and the one before it
PAGE = 100


def existing(api: Api, config: FunctionConfig) -> list[dict[str, Any]]:
    """All published versions; `$LATEST` is not one."""
    found: list[dict[str, Any]] = []
    while True:
        page = api.call("ListVersionByFunction", **name_and_namespace(config), Limit=PAGE, Offset=len(found))
        some = page.get("Versions") or []
        found += some
        if not some or len(found) >= int(page.get("TotalCount") or 0):
            return [version for version in found if str(version["Version"]).isdecimal()]


def mark(api: Api, config: FunctionConfig, version: str) -> str:
    """The fingerprint that a version was published with, or ''."""
    for entry in existing(api, config) if version.isdecimal() else []:
        if str(entry["Version"]) == version:
            return str(entry.get("Description") or "").partition(PREFIX)[2]
    return ""


def publish(api: Api, config: FunctionConfig, mark: str, pause: Callable[[float], None]) -> str:
    """Make $LATEST a version, with its fingerprint in the description; returns its number as text."""
    names = name_and_namespace(config)
    version = str(api.call("PublishVersion", **names, Description=PREFIX + mark)["FunctionVersion"])
    wait_until_active(api, pause, f"Version {version}", "GetFunction", **names, Qualifier=version)
    return version


def prune(api: Api, config: FunctionConfig, keep: Collection[str]) -> None:
    """Delete what was published here long ago: an account may keep only so many versions."""
    if api.dry_run:
        return
    ours = [
        str(entry["Version"])
        for entry in existing(api, config)
        if str(entry.get("Description") or "").startswith(PREFIX) and str(entry["Version"]) not in keep
    ]
    for version in sorted(ours, key=int)[:-KEPT]:
        api.call("DeleteFunctionVersion", **name_and_namespace(config), Qualifier=version)
