"""`manage.py package`: build the function and its layer for the platform, whatever system this runs on.

build/function and build/layer hold the files of function.zip and layer.zip. A build works in a folder beside them and
replaces them only when every step has succeeded.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import source_from_cache
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

from faaskit.package import archives, shipped_files, wheels
from faaskit.package.archives import Size
from faaskit.package.target import PackageError, Target, find_python

NO_PYTHON = (
    "There is no CPython {version} here (looked for python{version}, py, uv and pyenv): the package has no bytecode. "
    "It works, but the platform's folder is read-only, so every cold start compiles every module again and takes about "
    "2.8 times the CPU."
)
COLLECTED_MANIFEST = '{"version": "1.1", "paths": {}, "hash": ""}'  # tells settings.py that files are collected
GENERATED = {".archive": "bytecode in archives", ".lexicon": "lexicon"}  # rows of the table, by the files' suffix

Report = Callable[[str], None]


@dataclass
class Package:
    """The result of a build."""

    folder: Path  # holds function/, layer/ and the two zips
    table: str
    python: list[str] | None  # the command of the target's Python on this machine, which compiled the bytecode


def build(project: Path, folder: Path, target: Target, report: Report) -> Package:
    """Build the project into `folder`; raises PackageError and then leaves the folder as it was."""
    requirements = wheels.read_requirements(project / "requirements.txt", target)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder) as temporary:
        work = Path(temporary)
        function, layer = work / "function", work / "layer"
        report("Fetching the packages of requirements.txt.")
        owners = build_layer(requirements, target, work / "wheels", layer)
        report("Copying the project, collecting static files, compiling translations.")
        copy_function(project, function)
        collect_static_files(project, function)
        compile_translations(project, function)
        report("Rendering the survey page.")
        run(function, [sys.executable, "manage.py", "render_blank_pages"], "render_blank_pages")
        report("Building the lexicon.")
        run(project, [sys.executable, "manage.py", "build_lexicon", str(layer / "jieba")], "build_lexicon")
        python = compile_bytecode(function, layer, target, report)
        if python:
            archive = [sys.executable, "-m", "mydjango.cold_start.bytecode_archive", str(layer), target.python]
            run(project, archive, "bytecode_archive")
        report("Packing.")
        table = pack(work, owners)
        for name in ("function", "layer", "function.zip", "layer.zip"):
            replace(work / name, folder / name)
    return Package(folder, table, python)


def build_layer(requirements: list[Requirement], target: Target, downloads: Path, layer: Path) -> dict[str, str]:
    """Unpack the wheels' files that ship, and return the package of each file by its path."""
    fetched = wheels.fetch(requirements, target, downloads)
    wheels.check_complete(fetched, requirements, target, unneeded=shipped_files.NOT_NEEDED)
    owners = {}
    for wheel in fetched:
        name, version, _build, _tags = parse_wheel_filename(wheel.name)
        for path, content in wheels.files_of(wheel):
            if shipped_files.is_left_out(path, shipped_files.LAYER_LEFT_OUT):
                continue
            file = layer / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            owners[path.as_posix()] = f"{name} {version}"
    return owners


def copy_function(project: Path, function: Path) -> None:
    """Copy the project's files that ship, without their modes and dates."""
    for path, file in shipped_files.function_files(project):
        copy = function / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())


def collect_static_files(project: Path, function: Path) -> None:
    """Collect static files under their hashed names; the manifest maps the plain names to them."""
    static = function / "staticfiles"
    static.mkdir()
    (static / "staticfiles.json").write_text(COLLECTED_MANIFEST, encoding="utf-8")
    code = (
        "import sys, django; from django.conf import settings; settings.STATIC_ROOT = sys.argv[1];"
        "settings.STORAGES['staticfiles']['BACKEND'] = "
        "'django.contrib.staticfiles.storage.ManifestStaticFilesStorage';"
        "django.setup(); from django.core.management import call_command;"
        "call_command('collectstatic', interactive=False, verbosity=0)"
    )
    run(project, [sys.executable, "-c", code, str(static)], "collectstatic")
    shipped_files.drop_unhashed(static)


def compile_translations(project: Path, function: Path) -> None:
    """Compile the translations that ship from their sources: a committed .mo may be stale."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for compiled in function.rglob("*.mo"):
        source = project / compiled.relative_to(function).with_suffix(".po")
        if source.is_file():
            with source.open("rb") as file:
                catalog = read_po(file, locale=source.parent.parent.name)
            with compiled.open("wb") as file:
                write_mo(file, catalog)


def compile_bytecode(function: Path, layer: Path, target: Target, report: Report) -> list[str] | None:
    """Compile with the target's Python and return its command, or report that this machine has none.

    The bytecode is unchecked: a zip keeps no dates to compare sources with, and the platform cannot write a newer one.
    """
    python = find_python(target.python)
    if python is None:
        report(NO_PYTHON.format(version=target.python))
        return None
    for folder, place in ((function, "/var/user"), (layer, "/opt")):
        command = [*python, "-s", "-B", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        command += ["-s", str(folder), "-p", place, str(folder)]
        # A fixed seed: constant sets are written in the order of their hashes.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        environment.pop("PYTHONPATH", None)
        ended = subprocess.run(command, capture_output=True, text=True, env=environment)
        if ended.returncode:
            raise PackageError(
                f"Python {target.python} cannot compile this: {ended.stdout.strip() or ended.stderr.strip()}"
            )
    return python


def pack(work: Path, owners: Mapping[str, str]) -> str:
    """Zip function and layer and return the table of their sizes; raises PackageError for a size over a limit."""
    function, layer = (archives.write_zip(work / name, work / f"{name}.zip") for name in ("function", "layer"))
    rows: defaultdict[str, Size] = defaultdict(Size)
    for path, size in layer.items():
        rows[owners.get(source_of(path)) or GENERATED.get(PurePosixPath(path).suffix, "other")] += size
    for path, size in function.items():
        rows["static files" if path.startswith("staticfiles/") else "the project"] += size
    totals = [
        Size((work / f"{name}.zip").stat().st_size, sum(size.unzipped for size in sizes.values()))
        for name, sizes in (("function", function), ("layer", layer))
    ]
    table = archives.table(rows, *totals)
    exceeded = archives.over_limit(*totals)
    if exceeded:
        raise PackageError("\n".join([*exceeded, table]))
    return table


def source_of(path: str) -> str:
    """Return the path of a .pyc file's source; the path itself for any other file."""
    return Path(source_from_cache(path)).as_posix() if path.endswith(".pyc") else path


def run(project: Path, command: list[str], step: str) -> None:
    """Run a step with settings that need nothing of the environment; raises PackageError with its last line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MYSQL_", "TENCENTCLOUD_"))}
    environment = {
        **kept,
        "DJANGO_SETTINGS_MODULE": "mydjango.settings",
        "DEBUG": "0",
        "SECRET_KEY": "for-packaging-only",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ended = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    if ended.returncode:
        lines = (ended.stderr.strip() or ended.stdout.strip()).splitlines() or ["no message"]
        raise PackageError(f"{step} failed: {lines[-1]}")


def replace(source: Path, destination: Path) -> None:
    """Move a file or a folder over the one of the last build."""
    if destination.is_dir():
        shutil.rmtree(destination)
    else:
        destination.unlink(missing_ok=True)
    source.rename(destination)
