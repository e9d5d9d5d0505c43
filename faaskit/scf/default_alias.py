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
    """`version` is digits or $LATEST; `previous` is digits or ''."""

    version: str
    previous: str = ""


def read(api: Api, config: FunctionConfig) -> Alias:
    """Return the default alias; raises ApiError."""
    response = api.call("GetAlias", **name_and_namespace(config), Name=DEFAULT_ALIAS)
    version = str(response["FunctionVersion"])
    # The component's older way to move traffic keeps $LATEST as the main version and gives a published one the weight.
    weights = (response.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or []
    heavy = [str(entry["Version"]) for entry in weights if float(entry.get("Weight") or 0) >= 1]
    match = PREVIOUS.search(str(response.get("Description") or ""))
    return Alias(heavy[0] if heavy else version, match[1] if match else "")


def move(api: Api, config: FunctionConfig, version: str, previous: str) -> None:
    """Give all traffic to a version and note the one before it; raises ApiError."""
    api.call(
        "UpdateAlias",
        **name_and_namespace(config),
        Name=DEFAULT_ALIAS,
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": []},
        Description=f"version {version}" + (f", before it: {previous}" if previous.isdecimal() else ""),
    )
