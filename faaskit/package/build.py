"""`faaskit package`: build the function for the platform, whatever system this runs on.

build/function holds the files of function.zip. The packages are among them, or in build/layer and layer.zip where the
project describes a layer (function_config.LAYER_FILE). A build works in a folder beside them and replaces them only
when every step has succeeded.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import source_from_cache
from pathlib import Path, PurePosixPath

from faaskit import function_config, management
from faaskit.function_config import LAYER_FILE, FunctionConfig
from faaskit.package import archives, requirements, shipped_files
from faaskit.package.archives import Size
from faaskit.package.target import PackageError, Target, find_python
from faaskit.project import Project
from faaskit.web import bootstrap

NO_PYTHON = (
    "There is no CPython {version} here (looked for python{version}, py, uv and pyenv): the package has no bytecode. "
    "It works, but the platform's folder is read-only, so every cold start compiles every module again and takes about "
    "2.8 times the CPU."
)
LOCK = "requirements.lock"
PLACES = {"function": "/var/user", "layer": "/opt"}  # on the platform

Report = Callable[[str], None]


@dataclass
class Package:
    """The result of a build."""

    project: Project
    config: FunctionConfig
    folder: Path  # holds function/, function.zip and, with a layer, layer/ and layer.zip
    archives: tuple[str, ...]  # "function", and "layer" where there is one
    table: str
    python: str | None  # the target's Python on this machine, which compiled the bytecode


def build(project: Project, folder: Path, target: Target, report: Report) -> Package:
    """Build the project into `folder`; raises PackageError and then leaves the folder as it was."""
    names = ("function", "layer") if (project.folder / LAYER_FILE).is_file() else ("function",)
    config = read_config(project)
    requirements.find_source(project)
    python = find_python(target.python)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder) as temporary:
        work = Path(temporary)
        function, packages = work / "function", work / names[-1]
        report("Resolving and fetching the packages.")
        if (folder / LOCK).is_file():
            shutil.copy(folder / LOCK, work / LOCK)
        server = (bootstrap.WAITRESS,) if config.is_web else ()
        installation = requirements.Installation(project, target, python or sys.executable, work / LOCK, work, server)
        owners = copy_packages(project, installation, packages)
        report("Copying the project.")
        copy_function(project, function)
        handler = config.handler.partition(".")[0]
        if not (function / f"{handler}.py").is_file() and not (function / handler).is_dir():
            raise PackageError(f"{handler}.py is not among the files that ship: it must hold {config.handler}.")
        if config.is_web:
            add_server(function, target, config)
        if project.settings:
            report("Collecting static files, compiling translations.")
            collect_static_files(project, function, work)
            compile_translations(function)
        if python is None:
            report(NO_PYTHON.format(version=target.python))
        else:
            for name in names:
                compile_bytecode(python, work / name, PLACES[name])
        for command in project.build:
            report(f"Running {command}.")
            places = {"function": str(function), "layer": str(packages), "python_version": target.python}
            run(project, [sys.executable, *shlex.split(filled(command, places))], work, command)
        report("Packing.")
        table = pack(work, names, owners)
        for name in (LOCK, *names, *(f"{name}.zip" for name in names)):
            replace(work / name, folder / name)
    return Package(project, config, folder, names, table, python)


def read_config(project: Project) -> FunctionConfig:
    """Return what serverless.yml describes, without the values of this machine's environment."""
    file = project.folder / "serverless.yml"
    return function_config.load(file, {}) if file.is_file() else FunctionConfig(file, project.folder.name)


def copy_packages(project: Project, installation: requirements.Installation, packages: Path) -> dict[str, str]:
    """Install the packages and copy the files that ship; return the package of each by its path."""
    installed = installation.work / "installed"
    owners = installation.install(installed)
    patterns = (*shipped_files.PACKAGES, *project.layer_exclude)
    for file in sorted(installed.rglob("*")):
        path = PurePosixPath(file.relative_to(installed).as_posix())
        if file.is_file() and not shipped_files.is_left_out(path, patterns, project.languages):
            copy(file, packages / path)
    return owners


def copy_function(project: Project, function: Path) -> None:
    """Copy the project's files that ship."""
    for path, file in shipped_files.function_files(project):
        copy(file, function / path)


def copy(source: Path, destination: Path) -> None:
    """Copy a file without its mode and date; raises PackageError where a package has a file of that name."""
    if destination.exists():
        raise PackageError(f"{source} has the name of a file of a package: rename it, or leave it out.")
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_bytes(source.read_bytes())


def add_server(function: Path, target: Target, config: FunctionConfig) -> None:
    """Add what a Web function starts; raises PackageError without the bridge, parts of which its server uses."""
    if not (function / "index.py").is_file():
        raise PackageError("index.py is not among the files that ship: a Web function needs it too.")
    bootstrap.write(function, target.python, config.concurrency)


def collect_static_files(project: Project, function: Path, work: Path) -> None:
    """Collect static files with the project's own storage, into the folder of the function that it reads them from."""
    if project.static != "":
        script = Path(management.__file__).with_name("collect_static.py")
        run(project, [sys.executable, str(script), str(function), project.static or ""], work, "collectstatic")


def compile_translations(function: Path) -> None:
    """Compile the translations that ship from their sources: an .mo file may be stale or missing."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for source in function.rglob("LC_MESSAGES/*.po"):
        with source.open("rb") as file, source.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, read_po(file))
        source.unlink()


def compile_bytecode(python: str, folder: Path, place: str) -> None:
    """Compile a folder that lies in `place` on the platform; raises PackageError for a file that does not compile.

    The bytecode is unchecked: a zip keeps no dates to compare sources with, and the platform cannot write a newer one.
    """
    # -S: bytecode tells which strings are interned, and site imports more modules in one environment than another.
    command = [python, "-S", "-B", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", place, str(folder)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # A fixed seed: constant sets are written in the order of their hashes. -I would ignore it.
    environment = kept | {"PYTHONHASHSEED": "0"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder.parent)
    if ended.returncode:
        raise PackageError(f"{python} cannot compile this: {ended.stdout.strip() or ended.stderr.strip()}")


def pack(work: Path, names: tuple[str, ...], owners: Mapping[str, str]) -> str:
    """Zip the folders and return the table of their sizes; raises PackageError for a size over a limit."""
    rows: defaultdict[str, Size] = defaultdict(Size)
    totals = {}
    for name in names:
        sizes = archives.write_zip(work / name, work / f"{name}.zip")
        for path, size in sizes.items():
            rows[owners.get(source_of(path)) or ("the project" if name == "function" else "made by commands")] += size
        totals[name] = Size((work / f"{name}.zip").stat().st_size, sum(size.unzipped for size in sizes.values()))
    table = archives.table(rows, totals)
    exceeded = archives.over_limit(totals)
    if exceeded:
        raise PackageError("\n".join([*exceeded, table]))
    return table


def source_of(path: str) -> str:
    """Return the path of a .pyc file's source; the path itself for any other file."""
    return Path(source_from_cache(path)).as_posix() if path.endswith(".pyc") else path


def run(project: Project, command: list[str], work: Path, step: str) -> None:
    """Run a step in the project's folder with its `variables`; raises PackageError with the step's last line."""
    environment = os.environ | variables(project, work) | {"PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True)
    if ended.returncode:
        lines = (ended.stderr.strip() or ended.stdout.strip()).splitlines() or ["no message"]
        raise PackageError(f"{step} failed: {lines[-1]}")


def variables(project: Project, writable: Path) -> dict[str, str]:
    """Return the variables of a process that runs the project's code, those of its table with {tmp} filled in."""
    given = {name: filled(value, {"tmp": str(writable)}) for name, value in project.variables.items()}
    return ({"DJANGO_SETTINGS_MODULE": project.settings} if project.settings else {}) | given


def filled(text: str, places: Mapping[str, str]) -> str:
    """Return an entry of the table with its {names} replaced; other braces stay."""
    return re.sub(r"\{(\w+)\}", lambda match: places.get(match[1], match[0]), text)


def replace(source: Path, destination: Path) -> None:
    """Move a file or a folder over the one of the last build."""
    if destination.is_dir():
        shutil.rmtree(destination)
    else:
        destination.unlink(missing_ok=True)
    source.rename(destination)
