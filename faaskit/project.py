"""What faaskit knows of a project: the table `[tool.faaskit]` of its pyproject.toml, and what its files tell."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from faaskit.errors import FaaskitError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SETTINGS = re.compile(r"""["']DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")  # in manage.py


# Files that name a project's packages; the first one counts.
REQUIREMENTS = ("requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock", "pyproject.toml")


class ProjectError(FaaskitError):
    """The table cannot be used; the message is one sentence that gives the reason."""


@dataclass(frozen=True)
class Smoke:
    """One request or one management command with which `package --verify` tries a package."""

    method: str = "GET"
    path: str = ""  # with its query
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None  # the body, one of these three
    form: dict[str, str] = field(default_factory=dict)
    body: str = ""
    manage: str = ""  # a management command in the place of a request
    status: tuple[int, ...] = ()  # accepted statuses; (): every one below 500, and of a command 0

    def content(self) -> tuple[str, str]:
        """Return the body and its content type, '' for none."""
        if self.json is not None:
            return json.dumps(self.json, ensure_ascii=False), "application/json"
        if self.form:
            return urlencode(self.form), "application/x-www-form-urlencoded"
        return self.body, ""


@dataclass(frozen=True)
class Project:
    """The entries of the table, those left out filled in where the project's files tell."""

    folder: Path = Path()  # the project's own, no entry of the table
    application: str = ""  # the WSGI application, as module:attribute or module:factory()
    settings: str = ""  # Django's settings module; "": not a Django project
    include: tuple[str, ...] = ()  # files and folders of the project that ship; (): all but those of shipped_files.py
    exclude: tuple[str, ...] = ()  # patterns of what stays behind, beside those of faaskit/package/shipped_files.py
    layer_exclude: tuple[str, ...] = ()  # the same, of the packages
    unneeded: tuple[str, ...] = ()  # requirements that are not needed at run time
    requirements: str = ""  # the file that names the packages; "": the first of the usual ones that exists
    languages: tuple[str, ...] = ()  # locale folders that ship; (): all
    static: str | None = None  # folder in the function for collected static files; "": none; None: STATIC_ROOT's name
    build: tuple[str, ...] = ()  # arguments of Python, run after files and bytecode are laid out
    variables: dict[str, str] = field(default_factory=dict)  # for these commands, collectstatic and `package --verify`
    prepare: tuple[str, ...] = ()  # management commands that run before the project is served locally
    inherit: tuple[str, ...] = ()  # variables of this machine's environment that local instances get
    required: tuple[str, ...] = ()  # variables without which nothing is deployed
    health: str = ""  # path that must respond with 200 before traffic moves; "": / must respond below 500
    migrate: tuple[str, ...] = ()  # the command that a deployment runs in the new version
    uploads: str = ""  # the function's variable with the URL of a COS bucket to which the project's pages upload
    doctor: tuple[str, ...] = ()  # the management command whose output 'status' shows
    database: tuple[str, ...] = ()  # variables that together name the database; (): those that end in DATABASE_URL
    log_fields: dict[str, str] = field(
        default_factory=dict
    )  # of the project's JSON lines, and their types in the index
    imports: tuple[str, ...] = ()  # modules that `package --verify` imports
    smoke: tuple[Smoke, ...] = ()  # what `package --verify` tries; (): a GET of the health path
    events: str = ""  # folder of sample events, *.json, that `package --verify` replays


def requirement_files(folder: Path, named: str = "") -> list[Path]:
    """Return the files that name a project's packages: the one of its table, or those of REQUIREMENTS that exist.

    A pyproject.toml without `[project]` names none.
    """
    files = [folder / name for name in ([named] if named else REQUIREMENTS)]
    return [
        file
        for file in files
        if file.is_file()
        and (file.suffix != ".toml" or "[project]" in file.read_text(encoding="utf-8", errors="replace"))
    ]


def read(folder: Path) -> Project:
    """Return the project in this folder; without pyproject.toml or the table, what its files tell.

    Raises ProjectError where the file is not TOML, or an entry is unknown or of another type.
    """
    file = folder / "pyproject.toml"
    table = {}
    if file.is_file():
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("faaskit", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProjectError(f"{file} is not TOML: {error}.") from error
    try:
        entries = _parse(table, Project, "[tool.faaskit]")
    except (TypeError, ValueError) as error:
        raise ProjectError(f"{file}: {error}") from error
    return Project(folder, **(_found(folder, entries) | entries))


def _found(folder: Path, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return what manage.py tells of a Django project: settings, application, migrations."""
    manage = folder / "manage.py"
    match = SETTINGS.search(manage.read_text(encoding="utf-8", errors="replace")) if manage.is_file() else None
    settings = entries.get("settings", match[1] if match else "")
    if not settings:
        return {}
    package = settings.partition(".")[0]
    wsgi = f"{package}.wsgi:application" if (folder / package / "wsgi.py").is_file() else ""
    return {"settings": settings, "application": wsgi, "migrate": ("migrate", "--noinput")}


def _parse(table: object, kind: type[Any], where: str) -> dict[str, Any]:
    """Return the entries of a table by the names of a dataclass's fields; raises TypeError and ValueError."""
    if not isinstance(table, dict):
        raise TypeError(f"{where} must be a table.")
    known = {each.name.replace("_", "-"): each for each in fields(kind) if each.type in _TYPES}
    entries = {}
    for name, value in table.items():
        if name not in known:
            raise ValueError(f"{where} has no entry {name}; it may have {', '.join(known)}.")
        entries[known[name].name] = _TYPES[str(known[name].type)](value, f"{name} of {where}")
    return entries


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{where} must be a string.")
    return value


def _list_of(kind: type, of: str) -> Callable[[object, str], tuple[Any, ...]]:
    def parse(value: object, where: str) -> tuple[Any, ...]:
        # A bool is an int to Python.
        if not isinstance(value, list) or not all(
            isinstance(item, kind) and not isinstance(item, bool) for item in value
        ):
            raise TypeError(f"{where} must be a list of {of}.")
        return tuple(value)

    return parse


def _texts_by_name(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise TypeError(f"{where} must be a table of strings.")
    return value


def _json(value: object, where: str) -> object:
    try:
        json.dumps(value)
    except TypeError as error:  # TOML's dates and times
        raise ValueError(f"{where} holds what JSON cannot: {error}.") from error
    return value


def _smoke(value: object, where: str) -> tuple[Smoke, ...]:
    tables = _list_of(dict, "tables")(value, where)
    smoke = [
        Smoke(**_parse(table, Smoke, f"entry {number} of {where}")) for number, table in enumerate(tables, start=1)
    ]
    for number, each in enumerate(smoke, start=1):
        if bool(each.path) == bool(each.manage):
            raise ValueError(f"entry {number} of {where} needs either path or manage.")
    return tuple(smoke)


# How the value of an entry is read, by the type that its field is annotated with.
_TYPES: dict[Any, Callable[[object, str], Any]] = {
    "Any": _json,
    "str": _text,
    "str | None": _text,
    "tuple[str, ...]": _list_of(str, "strings"),
    "tuple[int, ...]": _list_of(int, "whole numbers"),
    "dict[str, str]": _texts_by_name,
    "tuple[Smoke, ...]": _smoke,
}
