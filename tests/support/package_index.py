"""Wheels and source archives made here, in a folder that is the only index of a test."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

BACKEND = """
import pathlib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    tag, files = {tag!r}, {files!r}
    assert tag, "no compiler"
    name = "{name}-{version}-" + tag + ".whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.write("PKG-INFO", "{name}-{version}.dist-info/METADATA")
        archive.writestr("{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: t\\nTag: " + tag)
        archive.writestr("{name}-{version}.dist-info/RECORD", "")
    return name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def _metadata(name: str, version: str, requires: str, python: str) -> str:
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requires}"] if requires else []
    lines += [f"Requires-Python: {python}"] if python else []
    return "\n".join(lines) + "\n"


def make_wheel(
    folder: Path,
    name: str,
    tag: str = "py3-none-any",
    version: str = "1.0",
    *,
    files: dict[str, bytes] | None = None,
    requires: str = "",
    python: str = "",
) -> Path:
    """Write a wheel."""
    wheel = folder / f"{name}-{version}-{tag}.whl"
    information = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in (files or {f"{name}.py": b""}).items():
            archive.writestr(path, content)
        archive.writestr(f"{information}/METADATA", _metadata(name, version, requires, python))
        archive.writestr(f"{information}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        archive.writestr(f"{information}/RECORD", "")
    return wheel


def make_source(
    folder: Path,
    name: str,
    tag: str = "py3-none-any",
    version: str = "1.0",
    *,
    files: dict[str, bytes] | None = None,
    python: str = "",
) -> Path:
    """Write a source archive that builds into a wheel with this tag and these files, or fails for tag ''."""
    backend = BACKEND.format(tag=tag, files=files or {f"{name}.py": b""}, name=name, version=version)
    content = {"PKG-INFO": _metadata(name, version, "", python), "pyproject.toml": PYPROJECT, "backend.py": backend}
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in content.items():
            information = tarfile.TarInfo(f"{name}-{version}/{member}")
            information.size = len(text.encode())
            archive.addfile(information, io.BytesIO(text.encode()))
    return path
