"""The layer, which gets a new version only when its archive has changed."""

from __future__ import annotations

from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import Api, find, wait_until_active
from faaskit.scf.upload import Archive, Store, send


def versions(api: Api, name: str) -> list[dict[str, Any]]:
    """Return the versions of a layer as the API lists them, newest first; raises ApiError."""
    found = (find(api, "ListLayerVersions", LayerName=name) or {}).get("LayerVersions") or []
    return sorted(found, key=lambda version: -int(version["LayerVersion"]))


def publish(api: Api, config: FunctionConfig, archive: Archive, bucket: Store | None) -> tuple[int, bool]:
    """Return the layer's version that holds this archive, and whether it is new; raises DeployError.

    The description of a version has the hash of its archive.
    """
    digest = f"sha256:{archive.sha256}"
    for version in versions(api, config.name):
        if digest in str(version.get("Description")) and version.get("Status") == "Active":
            return int(version["LayerVersion"]), False
    response = send(
        api,
        "PublishLayerVersion",
        archive,
        bucket,
        "Content",
        LayerName=config.name,
        CompatibleRuntimes=config.inputs.get("runtimes") or [],
        Description=f"{config.inputs.get('description') or ''} {digest}".strip(),
    )
    number = response["LayerVersion"]
    name = f"Version {number} of layer {config.name}"
    wait_until_active(api, name, "GetLayerVersion", LayerName=config.name, LayerVersion=number)
    return number, True


def remove(api: Api, name: str) -> int:
    """Delete every version and return their count; raises ApiError."""
    found = versions(api, name)
    for version in found:
        api.call("DeleteLayerVersion", LayerName=name, LayerVersion=version["LayerVersion"])
    return len(found)
