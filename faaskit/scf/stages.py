"""The stages of a project: each has a function, a layer and a database of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from faaskit import function_config
from faaskit.function_config import LAYER_FILE, STAGE, FunctionConfig, FunctionConfigError
from faaskit.project import Project
from faaskit.scf.api import Api, ApiError, DeployError, Report, find
from faaskit.scf.parameters import name_and_namespace

NO_STAGES = ("example", "sample", "template", "local")  # .env.example names no stage


def check(
    folder: Path, config: FunctionConfig, layer: FunctionConfig | None, api: Api, described: Project, report: Report
) -> None:
    """Raise DeployError where another stage has the same function, layer or database.

    Compared are the files of the stages, and the variables of the other stages' functions in this account.
    """
    names = described.database or tuple(name for name in config.environment if name.endswith("DATABASE_URL"))
    for other, variables in _others(folder, config.stage):
        if other.name == config.name:
            raise DeployError(
                f"{config.path} names the function {config.name} for the stages {config.stage} and {other.stage}: "
                "write '${stage}' into its name, as in 'name: ${app}-${stage}'."
            )
        if layer is not None and _layer_name(folder, other, variables) == layer.name:
            raise DeployError(
                f"{layer.path} names the layer {layer.name} for the stages {config.stage} and {other.stage}: "
                "write '${stage}' into its name."
            )
        where = function_config.env_file(folder, other.stage).name
        if _is_same(config.environment, other.environment, names):
            raise DeployError(_refusal(config, other, names, where))
        if _is_same(config.environment, _deployed(api, other, report), names):
            raise DeployError(_refusal(config, other, names, f"the deployed function {other.name}"))


def _others(folder: Path, stage: str) -> Iterator[tuple[FunctionConfig, dict[str, str]]]:
    """Yield the other stages that the folder names, each with the variables of its file alone."""
    found = {function_config.own_stage(folder / "serverless.yml")}
    found |= {path.name.removeprefix(".env.") for path in folder.glob(".env.*")}
    try:
        for other in sorted(found.difference({stage, ""}, NO_STAGES)):
            if STAGE.fullmatch(other):
                variables = function_config.read_env_file(function_config.env_file(folder, other))
                yield function_config.load(folder / "serverless.yml", variables, other), variables
    except FunctionConfigError as error:
        raise DeployError(str(error)) from error


def _layer_name(folder: Path, other: FunctionConfig, variables: Mapping[str, str]) -> str:
    return function_config.load(folder / LAYER_FILE, variables, other.stage).name


def _is_same(one: Mapping[str, str], other: Mapping[str, str], names: tuple[str, ...]) -> bool:
    """Return whether two functions may have one database. A variable that only one of them has may be its default."""
    pairs = [(one.get(name, ""), other.get(name, "")) for name in names]
    if not any(mine and mine == theirs for mine, theirs in pairs):
        return False
    return all(mine == theirs or not mine or not theirs for mine, theirs in pairs)


def _deployed(api: Api, other: FunctionConfig, report: Report) -> dict[str, str]:
    """Return the variables of another stage's function, {} where there is none or the keys may not read it."""
    try:
        function: Mapping[str, Any] = find(api, "GetFunction", **name_and_namespace(other)) or {}
    except ApiError as error:
        report(f"The database of stage {other.stage} was not compared: {error}")
        return {}
    variables = (function.get("Environment") or {}).get("Variables") or []
    return {entry["Key"]: entry["Value"] for entry in variables}


def _refusal(config: FunctionConfig, other: FunctionConfig, names: tuple[str, ...], where: str) -> str:
    return (
        f"The stages {config.stage} and {other.stage} may have one database: compare {', '.join(names)} with {where}. "
        f"Give stage {config.stage} a database of its own."
    )
