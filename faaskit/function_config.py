"""serverless.yml: the function as it is deployed, with `${env:…}` and its other references resolved.

The local gateway, the packaging and the deployment share this reader. The format is that of component `scf`
(Tencent 1154/42990).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

from faaskit.errors import FaaskitError
from faaskit.timers import Timer

LAYER_FILE = Path("deploy", "layer", "serverless.yml")  # beside the function's; without it the packages are in its zip

REFERENCE = re.compile(r"\$\{([^{}]+)\}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
STAGE = re.compile(r"[a-z][a-z0-9-]{0,30}")
KINDS = ("event", "web")  # of `type`
CONCURRENCY = 4  # requests that an instance of a Web function serves at once, each in a thread of its own
MOST_CONCURRENT = 100  # the platform's limit
RESERVED_PREFIXES = ("SCF_", "QCLOUD_", "TENCENTCLOUD_")


class FunctionConfigError(FaaskitError):
    """serverless.yml is missing or invalid; the message is one sentence."""


@dataclass(frozen=True)
class FunctionConfig:
    """One function of serverless.yml, with the platform's defaults; `inputs` is the whole section, resolved."""

    path: Path
    name: str
    stage: str = ""
    handler: str = "index.main_handler"
    memory: int = 128  # MB
    timeout: int = 3  # seconds
    init_timeout: int = 65  # seconds
    region: str = "ap-guangzhou"
    environment: dict[str, str] = field(default_factory=dict)
    timers: list[Timer] = field(default_factory=list)
    concurrency: int = 1  # requests that an instance serves at once
    inputs: dict[str, Any] = field(default_factory=dict)
    # Place in the file -> the variable that is not set ("inputs.environment.variables.X" -> "X").
    unset: dict[str, str] = field(default_factory=dict)

    @property
    def is_web(self) -> bool:
        """Whether `type: web` asks for a Web function, which speaks HTTP in the place of events."""
        return self.inputs.get("type") == "web"


@dataclass(frozen=True)
class _Resolver:
    """Replace `${env:NAME}` and `${name}`, `${stage}`, `${app}`; keep what only the cloud knows (`${output:…}`)."""

    document: Mapping[str, Any]
    environ: Mapping[str, str]
    unset: dict[str, str]
    within: tuple[str, ...] = ()  # the references that led here: ${name} may itself hold ${stage}

    def resolve(self, value: Any, where: str) -> Any:  # noqa: ANN401  (YAML holds anything)
        """Return the value with its references replaced; an unset variable becomes '' and is noted under `where`."""
        if isinstance(value, dict):
            return {key: self.resolve(item, f"{where}.{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, f"{where}[{index}]") for index, item in enumerate(value)]
        if isinstance(value, str):
            return REFERENCE.sub(lambda match: self._reference(match, where), value)
        return value

    def _reference(self, match: re.Match[str], where: str) -> str:
        reference = match[1].strip()
        if reference.startswith("env:"):
            name = reference.removeprefix("env:").strip()
            if not self.environ.get(name):
                self.unset[where] = name
            return self.environ.get(name, "")
        if reference not in ("name", "stage", "app", "org") or reference not in self.document:
            return match[0]
        if reference in self.within:
            raise ValueError(f"${{{reference}}} refers to itself.")
        inner = replace(self, within=(*self.within, reference))
        return str(inner.resolve(str(self.document[reference]), where))


def own_stage(path: Path) -> str:
    """Return the stage that a serverless.yml names, '' for none. Raises FunctionConfigError."""
    return str(_read(path).get("stage") or "")


def env_file(folder: Path, stage: str = "") -> Path:
    """Return the file of a stage's variables: .env.STAGE; for the stage that serverless.yml names, .env without that.

    Another stage never falls back to .env, which has the database of the first. Raises FunctionConfigError for a
    stage's name that is none, and where both files could be meant.
    """
    own = own_stage(folder / "serverless.yml")
    stage = stage or own
    plain, named = folder / ".env", folder / f".env.{stage}"
    if stage and not STAGE.fullmatch(stage):
        raise FunctionConfigError(f"{stage!r} is no name of a stage: write lower-case letters, digits and hyphens.")
    if stage != own:
        return named
    if stage and plain.is_file() and named.is_file():
        raise FunctionConfigError(f"{plain} and {named} are both for stage {stage}: keep one of them.")
    return named if stage and named.is_file() else plain


def deployment_environ(folder: Path, stage: str = "") -> dict[str, str]:
    """Return the variables for `${env:…}` of a deployment: those of the shell win over those of the stage's file.

    Raises FunctionConfigError where that file cannot be read.
    """
    return read_env_file(env_file(folder, stage)) | dict(os.environ)


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a .env file, {} if it does not exist. Raises FunctionConfigError."""
    try:
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except UnicodeDecodeError as error:
        raise FunctionConfigError(f"{path} is not UTF-8: save it as such.") from error
    except OSError as error:
        raise FunctionConfigError(f"{path} cannot be read: {error.strerror}.") from error


def load(path: Path, environ: Mapping[str, str] | None = None, stage: str = "") -> FunctionConfig:
    """Read and resolve one serverless.yml; `stage` wins over the file's own. Raises FunctionConfigError."""
    document = _read(path)
    if stage:
        document["stage"] = stage
    unset: dict[str, str] = {}
    resolver = _Resolver(document, deployment_environ(path.parent, stage) if environ is None else environ, unset)
    try:
        inputs = resolver.resolve(document["inputs"], "inputs")
        return FunctionConfig(
            path=path,
            name=str(inputs.get("name") or document.get("name") or path.parent.name),
            stage=str(document.get("stage") or ""),
            handler=_handler(inputs),
            memory=_whole(inputs, "memorySize", FunctionConfig.memory),
            timeout=_whole(inputs, "timeout", FunctionConfig.timeout),
            init_timeout=_whole(inputs, "initTimeout", FunctionConfig.init_timeout),
            region=str(inputs.get("region") or FunctionConfig.region),
            environment=_environment(inputs, unset),
            timers=_timers(inputs),
            concurrency=_concurrency(inputs),
            inputs=inputs,
            unset=unset,
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise FunctionConfigError(f"{path}: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    """Return the document of a serverless.yml, nothing resolved. Raises FunctionConfigError."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FunctionConfigError(f"{path} does not exist: it describes the function.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FunctionConfigError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not isinstance(document.get("inputs"), dict):
        raise FunctionConfigError(f"{path} has no 'inputs' section.")
    return document


def _whole(inputs: Mapping[str, Any], key: str, default: int) -> int:
    value = inputs.get(key, default)
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) < 1:
        raise ValueError(f"{key} is {value!r}, not a whole number above 0.")
    return int(value)


def _handler(inputs: Mapping[str, Any]) -> str:
    handler = inputs.get("handler", FunctionConfig.handler)
    if not isinstance(handler, str) or not all(handler.rpartition(".")):
        raise ValueError(f"handler is {handler!r}: write module.function, such as {FunctionConfig.handler}.")
    return handler


def _concurrency(inputs: Mapping[str, Any]) -> int:
    """Return the requests that an instance serves at once, 1 for an event function."""
    kind = inputs.get("type", "event")
    if kind not in KINDS:
        raise ValueError(f"type is {kind!r}: write {' or '.join(KINDS)}.")
    section = _map(inputs, "instanceConcurrencyConfig")
    if kind != "web" or section.get("enable") is False:
        return 1
    number = _whole(section, "maxConcurrency", CONCURRENCY)
    if number > MOST_CONCURRENT:
        raise ValueError(f"maxConcurrency of instanceConcurrencyConfig is {number}, above {MOST_CONCURRENT}.")
    return number


def _map(section: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the map under a key, {} if there is none."""
    value = section.get(key) or {}
    if not isinstance(value, dict):
        raise TypeError(f"{key} is not a map such as 'name: value'.")  # without the value, which may be secret
    return value


def _environment(inputs: Mapping[str, Any], unset: Mapping[str, str]) -> dict[str, str]:
    """Return environment.variables as text, without those that hold an unset `${env:…}`."""
    variables = _map(_map(inputs, "environment"), "variables")
    for name in map(str, variables):
        if not VARIABLE.fullmatch(name):
            raise ValueError(f"environment variable {name!r}: a name holds letters, digits and underscores only.")
        if name.startswith(RESERVED_PREFIXES):
            raise ValueError(f"environment variable {name} begins with a prefix that the platform reserves.")
    return {
        # The platform stores text: YAML's true becomes 'true'.
        str(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in variables.items()
        if value is not None and f"inputs.environment.variables.{name}" not in unset
    }


def _timers(inputs: Mapping[str, Any]) -> list[Timer]:
    """Return the timer triggers of `events`; a trigger is off by default."""
    events = inputs.get("events") or []
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise ValueError("events is not a list of triggers, such as '- timer: {parameters: ...}'.")
    timers = []
    for event in events:
        if "timer" not in event:
            continue
        section = _map(event, "timer")
        parameters = _map(section, "parameters") or section
        if not parameters:
            raise ValueError("a timer of events has no parameters: it needs name and cronExpression.")
        timers.append(
            Timer(
                name=str(parameters.get("name", "timer")),
                cron=str(parameters.get("cronExpression", "")),
                message=str(parameters.get("argument") or ""),
                enabled=parameters.get("enable") in (True, "true", "OPEN"),
            )
        )
    return timers
