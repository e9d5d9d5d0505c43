"""Modules imported from the archive of bytecode are the same as without it."""

from __future__ import annotations

import compileall
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from mydjango.cold_start import bytecode_archive, bytecode_importer

PROJECT = Path(__file__).resolve().parents[2]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LOOK = """
import sys
from mydjango.cold_start import bytecode_importer
bytecode_importer.install()
import parcel.inner
place = sys.path[1] + "/parcel"
print(parcel.inner.value, parcel.__path__ == [place], parcel.inner.__file__ == place + "/inner.py")
print(type(parcel.inner.__loader__).__name__, parcel.inner.__spec__.parent)
import inspect
print(inspect.getsource(parcel.inner).strip())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for sys.path, with a package of two modules and the archive of their bytecode."""
    package = tmp_path / "parcel"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text("value = 1\n")
    compileall.compile_dir(tmp_path, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    bytecode_archive.write(tmp_path, PYTHON)
    return tmp_path


def look(folder: Path) -> list[str]:
    """Return the lines that LOOK prints in a fresh process."""
    code = f"import sys; sys.path[:0] = [{str(PROJECT)!r}, {str(folder)!r}]\n{LOOK}"
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, cwd=folder, check=True)
    return done.stdout.splitlines()


def test_modules_come_from_the_archive_and_look_as_without_it(folder: Path) -> None:
    assert look(folder) == ["1 True True", "_ArchiveLoader parcel", "value = 1"]


def test_an_archive_of_another_python_is_ignored(folder: Path) -> None:
    archive = folder / bytecode_importer.FILE_NAME
    archive.write_bytes(b"\0\0\r\n" + archive.read_bytes()[4:])
    assert look(folder)[1] == "SourceFileLoader parcel"


def test_without_an_archive_python_imports_from_files(folder: Path) -> None:
    (folder / bytecode_importer.FILE_NAME).unlink()
    assert look(folder)[1] == "SourceFileLoader parcel"
