"""`faaskit init`: write index.py, serverless.yml and the table [tool.faaskit] for a project."""

from __future__ import annotations

import argparse
from difflib import unified_diff
from pathlib import Path

from faaskit import project
from faaskit.errors import FaaskitError
from faaskit.init.detect import Application, applications, named
from faaskit.init.files import Planned, is_bridge, plan

TABLE = "[tool.faaskit]"


class InitError(FaaskitError):
    """The files cannot be written; the message is one sentence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `init`."""
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="the project (default: here)")
    parser.add_argument("--application", metavar="MODULE:NAME", help="the application, where the source makes several")
    parser.add_argument("--github", action="store_true", help="write a workflow of GitHub Actions that deploys, too")
    parser.add_argument("--diff", action="store_true", help="show what this version would write instead; write nothing")


def run(options: argparse.Namespace) -> int:
    """Write what is missing, or show the differences. Raises FaaskitError, and then has written nothing."""
    folder = Path(options.folder).resolve()
    if not folder.is_dir():
        raise InitError(f"--folder {options.folder}: there is no such folder.")
    application = _choose(folder, options.application)
    planned = plan(folder, application, options.github)
    _refuse_own_index(folder)
    if options.diff:
        for each in planned:
            print(_difference(folder, each), end="")
        return 0
    about = f" (Django, {application.settings})" if application.settings else " (ASGI)" if application.asgi else ""
    print(f"Found {application.target}{about}.")
    for each in planned:
        print(f"{each.name}: {_write(folder, each)}")
    print("Next: 'faaskit serve' runs it, 'faaskit check' says what a deployment still needs.")
    return 0


def _choose(folder: Path, name: str | None) -> Application:
    """Return the application that is named, else that of the table, else the only one. Raises FaaskitError."""
    chosen = "" if (folder / "manage.py").is_file() else project.read(folder).application
    if name or chosen:
        return named(folder, name or chosen)
    found = applications(folder)
    if len(found) > 1:
        names = ", ".join(application.target for application in found)
        raise InitError(f"{folder} has {len(found)} applications, {names}: choose one with --application.")
    if found[0].target.startswith("src."):
        raise InitError(f"{found[0].target} is below src/, from where a function imports nothing: run init in src/.")
    return found[0]


def _refuse_own_index(folder: Path) -> None:
    """Raise InitError for an index.py of the project's own."""
    file = folder / "index.py"
    if file.is_file() and not is_bridge(file.read_text(encoding="utf-8", errors="replace")):
        raise InitError(f"{file} is a module of the project's: rename it, since index.py is what the platform calls.")


def _existing(folder: Path, planned: Planned) -> str | None:
    """Return what is there already: the file's text, or the text of the table; None where it is missing."""
    file = folder / planned.name
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8", errors="replace")
    if not planned.is_table:
        return text
    lines = text.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if line.strip() == TABLE]
    if not starts:
        return None
    following = lines[starts[0] + 1 :]
    length = next((number for number, line in enumerate(following) if line.startswith("[")), len(following))
    return "".join([lines[starts[0]], *following[:length]]).rstrip() + "\n"


def _difference(folder: Path, planned: Planned) -> str:
    """Return the unified diff from what is there to what this version writes."""
    before = (_existing(folder, planned) or "").splitlines(keepends=True)
    after = planned.content.splitlines(keepends=True)
    return "".join(unified_diff(before, after, planned.name, f"{planned.name} (this version)"))


def _write(folder: Path, planned: Planned) -> str:
    """Write a file, or the table, that is not there yet; return what was done."""
    file = folder / planned.name
    existing = _existing(folder, planned)
    if existing is not None:
        same = existing == planned.content
        return "is there already" if same else "is there already and kept; 'faaskit init --diff' shows the difference"
    if file.is_file():
        text = file.read_text(encoding="utf-8")
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"{'' if text.endswith(chr(10)) else chr(10)}\n{planned.content}")
        return f"{TABLE} added"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(planned.content, encoding="utf-8")
    return "written"
