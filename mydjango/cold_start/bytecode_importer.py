"""Imports from one file of byte code instead of from hundreds of small ones: a twentieth of a guest's first page.

`manage.py package` writes one for the layer. It holds a copy of the .pyc files there, which ship as well: everything
but the way to the code (`__file__`, `__path__`, sources in a traceback) is as without it. Where there is none, or one
of another Python, Python's own finders do what they always do.
"""

from __future__ import annotations

import marshal
import mmap
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType, ModuleType

FILE_NAME = "byte-code.archive"
HEADER = 16  # bytes before the code in a .pyc file
Entry = tuple[str, int, int]  # path of the source in the folder; offset and length of the code


def install() -> None:
    """Import from the archives that lie in the folders of sys.path, the first folder first."""
    folders = dict.fromkeys(folder for folder in sys.path if Path(folder, FILE_NAME).is_file())
    for folder in reversed(folders):
        with Path(folder, FILE_NAME).open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        if content[:4] == MAGIC_NUMBER:
            start = 8 + int.from_bytes(content[4:8], "little")
            entries = marshal.loads(content[8:start])  # noqa: S302  (part of the package)
            sys.meta_path.insert(0, _ArchiveFinder(folder, entries, content[start:]))


class _ArchiveFinder:
    """Knows from the archive's index where each module is, without looking for it."""

    def __init__(self, folder: str, entries: dict[str, Entry], code: memoryview) -> None:
        self.folder, self.entries, self.code = folder, entries, code

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that Python's own finder would give, with a loader that takes the code from the archive."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        path_there, offset, length = entry
        location = f"{self.folder}/{path_there}"
        is_package = path_there.endswith("/__init__.py")
        loader = _ArchiveLoader(name, location, self.code[offset : offset + length])
        spec = ModuleSpec(name, loader, origin=location, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [location.removesuffix("/__init__.py")]
        return spec


class _ArchiveLoader(SourceFileLoader):
    """A loader of a source file whose code is at hand."""

    def __init__(self, name: str, path: str, code: memoryview) -> None:
        super().__init__(name, path)
        self.code = code

    def get_code(self, fullname: str) -> CodeType:
        """The code."""
        code: CodeType = marshal.loads(self.code)  # noqa: S302  (part of the package)
        return code
