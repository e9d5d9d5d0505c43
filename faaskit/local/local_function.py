"""The function on this machine: serverless.yml, the command line and local values for missing variables."""

from __future__ import annotations

import argparse
import atexit
import os
import secrets
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from faaskit import function_config, project
from faaskit.errors import FaaskitError
from faaskit.function_config import FunctionConfig
from faaskit.gateways import platforms
from faaskit.gateways.registry import GATEWAYS, WEB
from faaskit.local import instance, memory_limit, sandbox
from faaskit.local.instance import Launch

DEBUGGER = ("TERM", "PYTHONBREAKPOINT")  # what a debugger reads besides
MAX_NAMED = 5  # unset variables that the start lists by name; more are counted
NO_LIMIT = 10.0**9  # seconds


class LocalFunctionError(FaaskitError):
    """The function cannot be run here; the message is one sentence."""


@dataclass(frozen=True)
class LocalFunction:
    """How to start the function, and notes for the user."""

    config: FunctionConfig
    launch: Launch
    notes: list[str]

    def context(self, request_id: str) -> dict[str, object]:
        """Return the context of one invocation."""
        launch = self.launch
        variables = {name: launch.variables[name] for name in self.config.environment if name in launch.variables}
        return platforms.context(launch.platform, self.config, request_id, launch.memory, launch.timeout, variables)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that `serve` and `invoke` share."""
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="the function's code (default: here)")
    parser.add_argument("--config", type=Path, help="its serverless.yml (default: the folder's, if it has one)")
    parser.add_argument(
        "--gateway-stage", default="", help="stage of apigw, aws-rest and aws-http (default: the usual one)"
    )
    parser.add_argument("--stage", default="", help="the stage, with the variables of .env.STAGE")
    parser.add_argument("--memory", type=int, metavar="MB", help="limit of an instance (default: memorySize); 0: none")
    parser.add_argument("--timeout", type=float, metavar="S", help="limit of an invocation (default: timeout)")
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a variable of the function, before those of serverless.yml; repeatable",
    )
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="take ${env:NAME} of serverless.yml from this file too, for example .env (default: from the shell alone)",
    )
    parser.add_argument("--strict", action="store_true", help="make the code read-only and write no bytecode")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the instances (default: this one)")
    parser.add_argument("--json", action="store_true", dest="as_json", help="report as JSON, one object a line")


def prepare(options: argparse.Namespace, public_url: str) -> LocalFunction:
    """Combine serverless.yml, the options and local values. Raises LocalFunctionError."""
    folder = Path(options.folder).resolve()
    config = read_config(options)
    memory = config.memory if options.memory is None else options.memory
    if memory < 0:
        raise LocalFunctionError(f"--memory {memory}: it must be 0 (no limit) or more MB.")
    timeout = config.timeout if options.timeout is None else options.timeout
    if not timeout > 0:
        raise LocalFunctionError(f"--timeout {timeout:g}: it must be above 0 seconds.")
    debug = getattr(options, "debug", False)
    platform = platforms.SCF if options.gateway == WEB else GATEWAYS[options.gateway].platform
    set_by_platform = platforms.environment(platform, config, memory, str(folder))
    variables, notes = _variables(options, config, public_url, set_by_platform)
    launch = Launch(
        folder=folder,
        handler=config.handler,
        platform=platform,
        variables=variables,
        memory=memory,
        timeout=NO_LIMIT if debug else timeout,
        init_timeout=NO_LIMIT if debug else config.init_timeout,
        read_only=options.strict and sandbox.read_only_possible(folder),
        freeze=getattr(options, "freeze", False) and not debug,
        terminal=debug,
        python=options.python,
    )
    return LocalFunction(config, launch, notes + _limits(options, launch))


def uses_own_database(options: argparse.Namespace) -> bool:
    """Return whether no variable names a database, so that the instances write the folder's db.sqlite3."""
    given = _given_variables(options, read_config(options))
    return not (given.get("MYSQL_HOST") or given.get("SQLITE_PATH"))


def read_config(options: argparse.Namespace) -> FunctionConfig:
    """Load serverless.yml; a folder without one gets the platform's defaults. Raises LocalFunctionError.

    .env holds the values of production, its database and its mail server: it is read where --env-file names it only,
    and .env.STAGE where --stage does.
    """
    folder = Path(options.folder).resolve()
    path = options.config or folder / "serverless.yml"
    if options.env_file and not options.env_file.is_file():
        raise LocalFunctionError(f"--env-file {options.env_file}: there is no such file.")
    if not options.config and not path.exists():
        return FunctionConfig(path, folder.name)
    try:
        named = function_config.read_env_file(folder / f".env.{options.stage}") if options.stage else {}
        named |= function_config.read_env_file(options.env_file) if options.env_file else {}
        return function_config.load(path, named | dict(os.environ), options.stage)
    except function_config.FunctionConfigError as error:
        raise LocalFunctionError(str(error)) from error


def _given_variables(options: argparse.Namespace, config: FunctionConfig) -> dict[str, str]:
    """Return the variables of serverless.yml and of --env, which wins."""
    given = dict(config.environment)
    for assignment in options.env:
        name, equals, value = assignment.partition("=")
        if not (name and equals):
            raise LocalFunctionError(f"--env {assignment}: write NAME=VALUE.")
        given[name] = value
    return given


def _variables(
    options: argparse.Namespace, config: FunctionConfig, public_url: str, set_by_platform: dict[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return the environment of an instance, and notes about it."""
    folder = Path(options.folder).resolve()
    try:
        inherit = (*platforms.INHERITED, *project.read(folder).inherit)
    except project.ProjectError as error:
        raise LocalFunctionError(str(error)) from error
    given = _given_variables(options, config)
    notes = []
    if not config.path.is_file():
        notes.append(f"no serverless.yml: {config.handler} with the platform's defaults, variables from --env alone")
    local: dict[str, Callable[[], str]] = {
        "PUBLIC_URL": lambda: public_url,
        "SECRET_KEY": lambda: secrets.token_urlsafe(50),
        "SQLITE_PATH": lambda: str(_copied_database(folder) if options.strict else folder / "db.sqlite3"),
    }
    made = {name: value() for name, value in local.items() if not given.get(name)}
    if "SQLITE_PATH" in made and options.strict:
        notes.append(f"the database is a copy, {made['SQLITE_PATH']}: it is removed at the end")
    prefix = "inputs.environment.variables."
    places = [place for place in config.unset if place.startswith(prefix)]
    unset = sorted({config.unset[place] for place in places if place.removeprefix(prefix) not in {*given, *made}})
    if unset:
        names = ", ".join(f"${{env:{name}}}" for name in unset)
        listed = names if len(unset) <= MAX_NAMED else f"{len(unset)} variables"
        notes.append(f"not set, so left out: {listed} of serverless.yml")
    notes.append(f"set for this machine: {', '.join(sorted(made))}" if made else "nothing set for this machine")
    debugger = DEBUGGER if getattr(options, "debug", False) else ()
    inherited = {name: os.environ[name] for name in (*inherit, *debugger) if name in os.environ}
    runtime = {"PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}
    if options.strict:
        runtime["PYTHONDONTWRITEBYTECODE"] = "1"
    return inherited | runtime | set_by_platform | made | given, notes


def _copied_database(folder: Path) -> Path:
    """Copy the folder's database to a temporary folder, which this process removes when it ends."""
    temporary = tempfile.mkdtemp(prefix="rungateway-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    copy = Path(temporary) / "db.sqlite3"
    database = folder / "db.sqlite3"
    if database.is_file():
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    return copy


def _limits(options: argparse.Namespace, launch: Launch) -> list[str]:
    """Return notes on how each limit is enforced here, or why not."""
    notes = []
    probe = memory_limit.cgroup(launch.memory)
    if probe:
        probe.close()
        notes.append(f"memory: {launch.memory} MB, held by {probe.kind}")
    elif launch.memory:
        notes.append(f"memory: {launch.memory} MB is not enforced: no memory cgroup can be made here (it needs root)")
    else:
        notes.append("memory: no limit")
    notes.append("timeout: none (--debug)" if launch.terminal else f"timeout: {launch.timeout:g} s")
    if launch.freeze and not instance.CAN_FREEZE:
        notes.append("--freeze has no effect: this system has no SIGSTOP")
    if options.strict and not launch.read_only:
        notes.append("--strict: the code stays writable (no mount namespace can be made here); no bytecode is written")
    elif options.strict:
        notes.append("--strict: the code is read-only (mount namespace), no bytecode is written")
    return notes
