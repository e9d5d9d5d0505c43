"""The function on this machine: serverless.yml, the command line and what is missing here, put together."""

from __future__ import annotations

import argparse
import atexit
import os
import secrets
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from faaskit import function_config, project
from faaskit.function_config import FunctionConfig
from faaskit.gateways import platforms
from faaskit.gateways.registry import GATEWAYS
from faaskit.local import instance, memory_limit, sandbox
from faaskit.local.instance import Launch
from faaskit.project import Project

# Of this machine's own environment an instance sees only what a process needs to run.
INHERITED = ("PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")

NAMED = 5  # so many unset variables are named at the start; more are counted


class LocalFunctionError(Exception):
    """The function cannot be run here; the message is one sentence."""


@dataclass(frozen=True)
class LocalFunction:
    """What to start, and what the user should know about it."""

    config: FunctionConfig
    launch: Launch
    notes: list[str]

    def context(self, request_id: str) -> dict[str, object]:
        """The context of one invocation."""
        launch = self.launch
        variables = {name: launch.variables[name] for name in self.config.environment if name in launch.variables}
        return platforms.context(launch.platform, self.config, request_id, launch.memory, launch.timeout, variables)


def add_arguments(parser: argparse.ArgumentParser, folder: Path | None = None) -> None:
    """The options that `rungateway` and `invoke` share."""
    parser.add_argument("--folder", type=Path, default=folder or Path.cwd(), help="the function's code (default: here)")
    parser.add_argument("--config", type=Path, help="its serverless.yml (default: the folder's, if it has one)")
    parser.add_argument("--gateway", choices=sorted(GATEWAYS), default="function-url", help="default: function-url")
    parser.add_argument(
        "--stage", default="", help="the stage of apigw, aws-rest and aws-http (default: the usual one)"
    )
    parser.add_argument("--memory", type=int, metavar="MB", help="limit of an instance (default: memorySize); 0: none")
    parser.add_argument("--timeout", type=float, metavar="S", help="limit of an invocation (default: timeout)")
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable of the function that counts before those of serverless.yml; repeatable",
    )
    parser.add_argument("--strict", action="store_true", help="read-only code that writes no byte code")
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the instances (default: this one)")
    parser.add_argument("--json", action="store_true", dest="as_json", help="reports as JSON, one object a line")


def prepare(options: argparse.Namespace, public_url: str) -> LocalFunction:
    """Read serverless.yml and form what an instance is started with; LocalFunctionError says what is wrong."""
    folder = Path(options.folder).resolve()
    config = _config(options)
    platform = GATEWAYS[options.gateway].platform
    memory = config.memory if options.memory is None else options.memory
    if memory < 0:
        raise LocalFunctionError(f"--memory {memory}: it must be 0 (no limit) or more MB.")
    notes: list[str] = []
    if not config.path.is_file():
        notes.append(f"no serverless.yml: {config.handler} with the platform's defaults, variables from --env alone")
    launch = Launch(
        folder=folder,
        handler=config.handler,
        platform=platform,
        variables=_variables(options, config, folder, public_url, memory, _project(folder).inherit, notes),
        memory=memory,
        timeout=_timeout(options, config),
        init_timeout=config.init_timeout,
        read_only=options.strict and sandbox.read_only_possible(folder),
        freeze=getattr(options, "freeze", False),
        python=options.python,
    )
    notes += _limits(options, launch)
    return LocalFunction(config, launch, notes)


def uses_own_database(options: argparse.Namespace) -> bool:
    """Whether no variable names a database, so that the instances write the folder's own db.sqlite3."""
    named = {assignment.partition("=")[0] for assignment in options.env}
    named |= {name for name, value in _config(options).environment.items() if value}
    return not named & {"MYSQL_HOST", "SQLITE_PATH"}


def _config(options: argparse.Namespace) -> FunctionConfig:
    """What the file says; another project may have none, then what the platform takes where nothing is said."""
    folder = Path(options.folder).resolve()
    path = options.config or folder / "serverless.yml"
    if not options.config and not path.exists():
        return FunctionConfig(path, folder.name)
    try:
        return function_config.load(path)
    except function_config.FunctionConfigError as error:
        raise LocalFunctionError(str(error)) from error


def _project(folder: Path) -> Project:
    """Return what the folder's pyproject.toml says."""
    try:
        return project.read(folder)
    except project.ProjectError as error:
        raise LocalFunctionError(str(error)) from error


def _timeout(options: argparse.Namespace, config: FunctionConfig) -> float:
    if options.timeout is None:
        return config.timeout
    if not options.timeout > 0:
        raise LocalFunctionError(f"--timeout {options.timeout:g}: it must be above 0 seconds.")
    return float(options.timeout)


def _variables(
    options: argparse.Namespace,
    config: FunctionConfig,
    folder: Path,
    public_url: str,
    memory: int,
    inherit: Iterable[str],
    notes: list[str],
) -> dict[str, str]:
    """The environment of an instance: serverless.yml's, the platform's, and local values where none is set."""
    given = dict(config.environment)
    for assignment in options.env:
        name, equals, value = assignment.partition("=")
        if not (name and equals):
            raise LocalFunctionError(f"--env {assignment}: write NAME=VALUE.")
        given[name] = value
    local: dict[str, Callable[[], str]] = {
        "PUBLIC_URL": lambda: public_url,
        "SECRET_KEY": lambda: secrets.token_urlsafe(50),
        "SQLITE_PATH": lambda: str(_database(folder, options.strict, notes)),
    }
    made = {name: value() for name, value in local.items() if not given.get(name)}
    prefix = "inputs.environment.variables."
    unset = sorted(
        {
            name
            for where, name in config.unset.items()
            if where.startswith(prefix) and where.removeprefix(prefix) not in given
        }
    )
    if unset:
        few = len(unset) <= NAMED
        names = ", ".join(f"${{env:{name}}}" for name in unset) if few else f"{len(unset)} variables"
        notes.append(f"not set, so left out: {names} of serverless.yml")
    notes.append(f"set for this machine: {', '.join(sorted(made))}" if made else "nothing set for this machine")
    inherited = {name: os.environ[name] for name in (*INHERITED, *inherit) if name in os.environ}
    runtime = {"PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}
    if options.strict:
        runtime["PYTHONDONTWRITEBYTECODE"] = "1"
    platform = platforms.environment(GATEWAYS[options.gateway].platform, config, memory, str(folder))
    return inherited | runtime | platform | made | given


def _database(folder: Path, strict: bool, notes: list[str]) -> Path:
    """The database of runserver; with read-only code a copy of it, which this process removes when it ends."""
    database = folder / "db.sqlite3"
    if not strict:
        return database
    temporary = tempfile.mkdtemp(prefix="rungateway-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    copy = Path(temporary) / "db.sqlite3"
    if database.is_file():
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    notes.append(f"the database is a copy, {copy}: what is written there is gone at the end")
    return copy


def _limits(options: argparse.Namespace, launch: Launch) -> list[str]:
    """How the limits are held here, and which of them cannot be."""
    notes = []
    probe = memory_limit.cgroup(launch.memory)
    if probe:
        probe.close()
        notes.append(f"memory: {launch.memory} MB, held by {probe.kind}")
    elif launch.memory:
        notes.append(f"memory: {launch.memory} MB is not enforced: no memory cgroup can be made here (it needs root)")
    else:
        notes.append("memory: no limit")
    notes.append(f"timeout: {launch.timeout:g} s")
    if launch.freeze and not instance.CAN_FREEZE:
        notes.append("--freeze has no effect: this system has no SIGSTOP")
    if options.strict and not launch.read_only:
        notes.append("--strict: the code stays writable (no mount namespace can be made here); no byte code is written")
    elif options.strict:
        notes.append("--strict: the code is read-only (mount namespace), no byte code is written")
    return notes
