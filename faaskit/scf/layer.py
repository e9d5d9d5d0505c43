"""The layer: a new version only when the archive has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import Api, find, wait_until_active
from faaskit.scf.upload import Archive, Bucket, send


def versions(api: Api, name: str) -> list[dict[str, Any]]:
    """The layer's versions, newest first; none when there is no such layer."""
    found = (find(api, "ListLayerVersions", LayerName=name) or {}).get("LayerVersions") or []
    return sorted(found, key=lambda version: -int(version["LayerVersion"]))


def publish(
    api: Api, config: FunctionConfig, archive: Archive, bucket: Bucket | None, pause: Callable[[float], None]
) -> tuple[int, bool]:
    """(version, whether it is new) of the layer that holds exactly this archive; its hash is in the description."""
    mark = f"sha256:{archive.sha256}"
    for version in versions(api, config.name):
        if mark in str(version.get("Description")) and version.get("Status") == "Active":
            return int(version["LayerVersion"]), False
    response = send(
        api,
        "PublishLayerVersion",
        archive,
        bucket,
        "Content",
        LayerName=config.name,
        CompatibleRuntimes=config.inputs.get("runtimes") or [],
        Description=f"{config.inputs.get('description') or ''} {mark}".strip(),
    )
    number = response["LayerVersion"]
    what = f"Version {number} of layer {config.name}"
    wait_until_active(api, pause, what, "GetLayerVersion", LayerName=config.name, LayerVersion=number)
    return number, True


def remove(api: Api, name: str) -> int:
    """Delete every version; returns how many there were."""
    found = versions(api, name)
    for version in found:
        api.call("DeleteLayerVersion", LayerName=name, LayerVersion=version["LayerVersion"])
    return len(found)
