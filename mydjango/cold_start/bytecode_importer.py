"""Import from one file of bytecode instead of from hundreds of small ones (docs/coldstart.md has the gain).

`manage.py package` writes it for the layer, as a copy of the layer's .pyc files; `__file__`, `__path__` and tracebacks
are as without it. Where the file is missing, or of another Python, Python's own finders import.
"""

from __future__ import annotations

import marshal
import mmap
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

FILE_NAME = "bytecode.archive"
HEADER = 16  # bytes before the code in a .pyc file
Entry = tuple[str, int, int]  # path of the source in the folder; offset and length of the code


def install() -> None:
    """Import from the archives in the folders of sys.path, the first folder first."""
    folders = dict.fromkeys(folder for folder in sys.path if Path(folder, FILE_NAME).is_file())
    for folder in reversed(folders):
        with Path(folder, FILE_NAME).open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        if content[:4] == MAGIC_NUMBER:
            start = 8 + int.from_bytes(content[4:8], "little")
            entries = marshal.loads(content[8:start])  # noqa: S302  (part of the package)
            sys.meta_path.insert(0, _ArchiveFinder(folder, entries, content[start:]))


class _ArchiveFinder:
    """Finds modules by the archive's index, without asking the file system."""

    def __init__(self, folder: str, entries: dict[str, Entry], code: memoryview) -> None:
        self.folder, self.entries, self.code = folder, entries, code

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        entry = self.entries.get(name)
        if entry is None:
            return None
        source, offset, length = entry
        location = f"{self.folder}/{source}"
        loader = _ArchiveLoader(name, location, self.code[offset : offset + length])
        packages = [location.removesuffix("/__init__.py")] if source.endswith("/__init__.py") else None
        return spec_from_file_location(name, location, loader=loader, submodule_search_locations=packages)


class _ArchiveLoader(SourceFileLoader):
    """Loads a source file whose bytecode is in the archive."""

    def __init__(self, name: str, path: str, code: memoryview) -> None:
        super().__init__(name, path)
        self.code = code

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = marshal.loads(self.code)  # noqa: S302  (part of the package)
        return code
