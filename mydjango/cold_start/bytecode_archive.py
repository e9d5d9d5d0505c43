"""Collect the bytecode of a folder in one file, from which bytecode_importer.py imports.

    python -m mydjango.cold_start.bytecode_archive FOLDER PYTHON [PACKAGE ...]

Packaging runs it, for example for `build/function 3.10 survey mydjango.http`.
"""

from __future__ import annotations

import marshal
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from mydjango.cold_start.bytecode_importer import FILE_NAME, HEADER, Entry


def write(folder: Path, python: str, packages: Sequence[str] = ()) -> None:
    """Copy the .pyc files of a Python version, below a folder of sys.path, into the folder's archive.

    With packages, move theirs instead. Files without a plain module name are left to Python's own finders.
    """
    entries: dict[str, Entry] = {}
    code = bytearray()
    magic = b""
    for pyc in sorted(folder.rglob(f"*.cpython-{python.replace('.', '')}.pyc")):
        path = (pyc.parent.parent / f"{pyc.name.partition('.')[0]}.py").relative_to(folder).as_posix()
        name = re.sub(r"(/__init__)?\.py$", "", path).replace("/", ".")
        if not all(part.isidentifier() for part in name.split(".")):
            continue
        if packages and not any(f"{name}.".startswith(f"{package}.") for package in packages):
            continue
        content = pyc.read_bytes()
        magic = content[:4]
        entries[name] = (path, pyc.relative_to(folder).as_posix(), len(code), len(content) - HEADER)
        code += content[HEADER:]
        if packages:
            pyc.unlink()
    if not entries:  # no Python of that version compiled the folder
        return
    # Version 2 writes no references: their numbers depend on how the objects were made, and builds are reproducible.
    index = marshal.dumps(entries, 2)
    (folder / FILE_NAME).write_bytes(magic + len(index).to_bytes(4, "little") + index + code)


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
