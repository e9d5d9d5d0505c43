"""The configuration of a project: the table `[tool.faaskit]` of its pyproject.toml, and nothing else."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class ProjectError(Exception):
    """The table cannot be used; the message is one sentence that gives the reason."""


@dataclass(frozen=True)
class Project:
    """The entries of the table; each is a list of strings."""

    prepare: tuple[str, ...] = ()  # management commands that run before the project is served locally
    inherit: tuple[str, ...] = ()  # variables of this machine's environment that local instances get
    required: tuple[str, ...] = ()  # variables without which nothing is deployed


def read(folder: Path) -> Project:
    """Return the project in this folder; without pyproject.toml or the table it has no entries.

    Raises ProjectError where the file is not TOML, or an entry is unknown or not a list of strings.
    """
    file = folder / "pyproject.toml"
    if not file.is_file():
        return Project()
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("faaskit", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(f"{file} is not TOML: {error}.") from error
    known = [field.name for field in fields(Project)]
    for name, value in table.items():
        if name not in known:
            raise ProjectError(f"{file}: [tool.faaskit] has no entry {name}; it may have {', '.join(known)}.")
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ProjectError(f"{file}: {name} of [tool.faaskit] must be a list of strings.")
    return Project(**{name: tuple(value) for name, value in table.items()})
