"""The default alias: the version that receives traffic, and the one that received it before.

Every function has the alias `$DEFAULT`; the URL and the timers are bound to it. It points at `$LATEST`, the code last
uploaded, until it is moved to a published version (SCF 36149). Its description keeps the version before, so that a
rollback from any machine finds it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import Api
from faaskit.scf.parameters import DEFAULT_ALIAS, name_and_namespace

LATEST = "$LATEST"
PREVIOUS = re.compile(r"before it: (\d+)")


@dataclass(frozen=True)
class Alias:
    """`version` is digits or $LATEST; `previous` is digits or ''; a canary is a second version with a share."""

    version: str
    previous: str = ""
    canary: str = ""
    share: float = 0.0


def read(api: Api, config: FunctionConfig) -> Alias:
    """Return the default alias; raises ApiError."""
    response = api.call("GetAlias", **name_and_namespace(config), Name=DEFAULT_ALIAS)
    version = str(response["FunctionVersion"])
    # The component's older way to move traffic keeps $LATEST as the main version and gives a published one the weight.
    weights = (response.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or []
    heavy = [str(entry["Version"]) for entry in weights if float(entry.get("Weight") or 0) >= 1]
    match = PREVIOUS.search(str(response.get("Description") or ""))
    previous = match[1] if match else ""
    if heavy or not weights:
        return Alias(heavy[0] if heavy else version, previous)
    return Alias(version, previous, str(weights[0]["Version"]), float(weights[0].get("Weight") or 0))


def move(api: Api, config: FunctionConfig, version: str, previous: str) -> None:
    """Give all traffic to a version and note the one before it; raises ApiError."""
    _update(api, config, version, previous, [])


def share(api: Api, config: FunctionConfig, alias: Alias, version: str, weight: float) -> None:
    """Give a share of the traffic to a second version, the rest to that of the alias; raises ApiError."""
    _update(api, config, alias.version, alias.previous, [{"Version": version, "Weight": weight}])


def _update(
    api: Api, config: FunctionConfig, version: str, previous: str, weights: list[dict[str, str | float]]
) -> None:
    api.call(
        "UpdateAlias",
        **name_and_namespace(config),
        Name=DEFAULT_ALIAS,
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": weights},
        Description=f"version {version}" + (f", before it: {previous}" if previous.isdecimal() else ""),
    )
