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
print(parcel.inner.__cached__.removeprefix(place))
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
    cached = f"/__pycache__/inner.{sys.implementation.cache_tag}.pyc"
    assert look(folder) == ["1 True True", cached, "_ArchiveLoader parcel", "value = 1"]


def test_only_folders_that_may_have_a_module_are_searched_for_it(folder: Path) -> None:
    (folder / "loose.py").write_text("value = 3\n")
    code = f"""
import sys
sys.path[:0] = [{str(PROJECT)!r}, {str(folder)!r}]
from mydjango.cold_start import bytecode_importer
bytecode_importer.install()
searched = []
found = sys.path_importer_cache[{str(folder)!r}]
class Noted:
    def find_spec(self, name, target=None):
        searched.append(name)
        return found.find_spec(name, target)
sys.path_importer_cache[{str(folder)!r}] = Noted()
import colorsys, loose, math
print(loose.value, searched)
"""
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "3 ['loose']\n"


def test_an_archive_of_another_python_is_ignored(folder: Path) -> None:
    archive = folder / bytecode_importer.FILE_NAME
    archive.write_bytes(b"\0\0\r\n" + archive.read_bytes()[4:])
    assert look(folder)[2] == "SourceFileLoader parcel"


def test_without_an_archive_python_imports_from_files(folder: Path) -> None:
    (folder / bytecode_importer.FILE_NAME).unlink()
    assert look(folder)[2] == "SourceFileLoader parcel"


def test_the_bytecode_of_named_packages_is_moved(folder: Path) -> None:
    (folder / "parcels.py").write_text("value = 2\n")
    compileall.compile_dir(folder, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    bytecode_archive.write(folder, PYTHON, ["parcel"])
    assert [pyc.parent.parent for pyc in folder.rglob("*.pyc")] == [folder]  # of parcels
    assert look(folder)[2] == "_ArchiveLoader parcel"
    (folder / bytecode_importer.FILE_NAME).unlink()
    assert look(folder)[2] == "SourceFileLoader parcel"  # compiles the source
