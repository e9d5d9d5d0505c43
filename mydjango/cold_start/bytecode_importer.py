"""Import from one file of bytecode instead of from hundreds of small ones (docs/coldstart.md has the gain).

`manage.py package` writes one for the layer, beside its .pyc files, and one for the function, instead of most of them.
`__file__`, `__path__` and tracebacks are as without it. Where the file is missing, or of another Python, Python's own
finders import, and compile what has no .pyc file.
"""

from __future__ import annotations

import marshal
import mmap
import sys
from collections.abc import Sequence, Set
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType, ModuleType

FILE_NAME = "bytecode.archive"
HEADER = 16  # bytes before the code in a .pyc file
Entry = tuple[str, str, int, int]  # paths of the source and the .pyc file in the folder; offset and length of the code


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
    if folders:
        sys.meta_path.insert(sys.meta_path.index(PathFinder), _OtherFolders(frozenset(folders)))


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
        source, cached, offset, length = entry
        location = f"{self.folder}/{source}"
        loader = _ArchiveLoader(name, location, self.code[offset : offset + length])
        # As spec_from_file_location() makes it, which works out the .pyc file's path again for each module.
        spec = ModuleSpec(name, loader, origin=location)
        spec.has_location, spec.cached = True, f"{self.folder}/{cached}"
        if source.endswith("/__init__.py"):
            spec.submodule_search_locations = [location.removesuffix("/__init__.py")]
        return spec


class _OtherFolders:
    """Finds top-level modules that are in no folder with an archive, most of them the standard library's.

    Python looks into the folders of sys.path one after the other, and those come first.
    """

    def __init__(self, folders: Set[str]) -> None:
        self.folders = folders
        self.names = {entry.name.partition(".")[0] for folder in folders for entry in Path(folder).iterdir()}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or name in self.names:
            return None
        return PathFinder.find_spec(name, [folder for folder in sys.path if folder not in self.folders])


class _ArchiveLoader(SourceFileLoader):
    """Loads a source file whose bytecode is in the archive."""

    def __init__(self, name: str, path: str, code: memoryview) -> None:
        super().__init__(name, path)
        self.code = code

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = marshal.loads(self.code)  # noqa: S302  (part of the package)
        return code
