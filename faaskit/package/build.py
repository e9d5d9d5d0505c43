"""`manage.py package`: builds what is uploaded, for the platform and not for this machine.

build/function and build/layer are what function.zip and layer.zip hold. Everything is made in a folder beside them,
which takes their place when all of it succeeded.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

from faaskit.package import archives, shared_objects, shipped_files, wheels
from faaskit.package.archives import Size
from faaskit.package.target import PackageError, Target, find_python

NO_PYTHON = (
    "There is no CPython {version} here (looked for python{version}, py, uv and pyenv): the package has no byte code. "
    "It works, but the platform's folder is read-only, so every cold start compiles every module again and takes about "
    "2.8 times the CPU."
)
COLLECTED_MANIFEST = '{"version": "1.1", "paths": {}, "hash": ""}'  # tells settings.py that files are collected

OTHER_OWNERS = {"archive": "byte code in archives", "lexicon": "lexicon"}  # by the file's suffix

Say = Callable[[str], None]


@dataclass
class Package:
    """What was built."""

    folder: Path  # holds function/, layer/ and the two zips
    table: str
    python: list[str] | None  # the target's Python here, which compiled the byte code


def build(project: Path, folder: Path, target: Target, say: Say) -> Package:
    """Build into `folder`. PackageError leaves it as it was."""
    requirements = wheels.read_requirements(project / "requirements.txt", target)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder) as temporary:
        work = Path(temporary)
        function, layer = work / "function", work / "layer"
        say("Fetching the packages of requirements.txt.")
        owners = build_layer(requirements, target, work / "wheels", layer)
        say("Copying the project, collecting static files, compiling translations.")
        copy_function(project, function)
        collect_static_files(project, function, work)
        compile_translations(project, function)
        say("Making the lexicon.")
        manage(project, "build_lexicon", str(layer / "jieba"))
        check_shared_objects([function, layer], target)
        python = compile_byte_code(function, layer, target, say)
        if python:
            archive = [sys.executable, "-m", "mydjango.cold_start.bytecode_archive", str(layer), target.python]
            run(project, archive, "bytecode_archive")
        say("Packing.")
        sizes = {name: archives.write_zip(work / name, work / f"{name}.zip") for name in ("function", "layer")}
        report = check_sizes(sizes["function"], sizes["layer"], owners, work)
        for name in ("function", "layer", "function.zip", "layer.zip"):
            replace(work / name, folder / name)
    return Package(folder, report, python)


def build_layer(requirements: list[Requirement], target: Target, downloads: Path, layer: Path) -> dict[str, str]:
    """Unpack the wheels without what is left out; the package of each file, by its path."""
    fetched = wheels.fetch(requirements, target, downloads)
    wheels.check_complete(fetched, requirements, target, unneeded=shipped_files.NOT_NEEDED)
    patterns = tuple(shipped_files.LAYER_LEFT_OUT)
    owners = {}
    for wheel in fetched:
        name, version, _build, _tags = parse_wheel_filename(wheel.name)
        for path, content in wheels.files_of(wheel):
            if shipped_files.is_left_out(path, patterns):
                continue
            file = layer / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            owners[path.as_posix()] = f"{name} {version}"
    return owners


def copy_function(project: Path, function: Path) -> None:
    """Copy what ships of the project."""
    for path, file in shipped_files.function_files(project):
        copy = function / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())


def collect_static_files(project: Path, function: Path, work: Path) -> None:
    """Collect static files under their hashed names; the manifest leads from the plain name to the hashed one."""
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
    """Compile each translation that ships from its source, so that none is stale."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for top in shipped_files.FUNCTION:
        for source in sorted((project / top).rglob("*.po")):
            path = source.relative_to(project).with_suffix(".mo")
            if (function / path).parent.parent.parent.is_dir() and (function / path).exists():
                with source.open("rb") as file:
                    catalog = read_po(file, locale=source.parent.parent.name)
                with (function / path).open("wb") as file:
                    write_mo(file, catalog)


def check_shared_objects(folders: Iterable[Path], target: Target) -> None:
    """PackageError that names the first shared object that would not load on the target."""
    for folder in folders:
        for sentence in shared_objects.find_wrong(folder, target):
            raise PackageError(sentence)


def compile_byte_code(function: Path, layer: Path, target: Target, say: Say) -> list[str] | None:
    """Compile with the target's Python, which is returned, else warn.

    Unchecked: the platform writes no byte code and a zip keeps no dates: there is nothing to compare sources with.
    """
    python = find_python(target.python)
    if python is None:
        say(NO_PYTHON.format(version=target.python))
        return None
    for folder, place in ((function, "/var/user"), (layer, "/opt")):
        command = [*python, "-s", "-B", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        command += ["-s", str(folder), "-p", place, str(folder)]
        # A seed, since sets of constants are written in the order of their hashes.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise PackageError(
                f"Python {target.python} cannot compile this: {done.stdout.strip() or done.stderr.strip()}"
            )
    return python


def check_sizes(function: dict[str, Size], layer: dict[str, Size], owners: dict[str, str], work: Path) -> str:
    """The table of sizes; PackageError when the platform would refuse them."""
    rows: dict[str, Size] = {}
    for path, size in layer.items():
        owner = owners.get(source_of(path), OTHER_OWNERS.get(path.rpartition(".")[2], "other"))
        rows[owner] = rows.get(owner, Size()) + size
    for path, size in function.items():
        owner = "static files" if path.startswith("staticfiles/") else "the project"
        owner = OTHER_OWNERS.get(path.rpartition(".")[2], owner)
        rows[owner] = rows.get(owner, Size()) + size
    zips = [
        Size((work / f"{name}.zip").stat().st_size, sum(size.unzipped for size in sizes.values()))
        for name, sizes in (("function", function), ("layer", layer))
    ]
    report = archives.table(rows, *zips)
    exceeded = archives.over_limit(zips[0].zipped, zips[1].zipped, zips[0].unzipped + zips[1].unzipped)
    if exceeded:
        raise PackageError("\n".join([*exceeded, report]))
    return report


def source_of(path: str) -> str:
    """The source file of byte code, by their paths; any other path is its own."""
    if "/__pycache__/" not in "/" + path:
        return path
    folder, _, name = path.rpartition("/")
    parent = folder.removesuffix("__pycache__")
    return f"{parent}{name.partition('.')[0]}.py"


def manage(project: Path, *arguments: str) -> None:
    """Run a management command of the project, as in a fresh clone."""
    run(project, [sys.executable, "manage.py", *arguments], arguments[0])


def run(project: Path, command: list[str], what: str) -> None:
    """Run a step with settings that need nothing of the environment; PackageError with its last line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MYSQL_", "TENCENTCLOUD_"))}
    environment = {
        **kept,
        "DJANGO_SETTINGS_MODULE": "mydjango.settings",
        "DEBUG": "0",
        "SECRET_KEY": "for-packaging-only",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["it said nothing"]
        raise PackageError(f"{what} failed: {said[-1]}")


def replace(source: Path, destination: Path) -> None:
    """Move a file or a folder to where an older one may be."""
    if destination.is_dir():
        shutil.rmtree(destination)
    elif destination.exists():
        destination.unlink()
    source.rename(destination)
