"""Shared objects in a package: built for the platform, its Python and its C library, or the build fails.

A wrong one is the classic `No module named '_brotli'`, which shows only after the upload.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

from faaskit.package.target import MACHINES, Target

FOREIGN_SUFFIXES = {".pyd": "Windows", ".dll": "Windows", ".dylib": "macOS"}
SHARED_OBJECT = re.compile(r"\.so(\.\d+)*$")


def find_wrong(folder: Path, target: Target) -> Iterator[str]:
    """One sentence for each shared object that would not load."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            if path.suffix in FOREIGN_SUFFIXES:
                yield f"{name} is for {FOREIGN_SUFFIXES[path.suffix]}, not for Linux."
            elif SHARED_OBJECT.search(path.name):
                reason = what_is_wrong(path.name, path.read_bytes(), target)
                if reason:
                    yield f"{name} {reason}."


def what_is_wrong(name: str, content: bytes, target: Target) -> str | None:
    """Why this shared object would not load there, or None."""
    if not content.startswith(b"\x7fELF"):
        return "is not a shared object of Linux"
    tag = re.search(r"\.(cpython-\d+)[-.]", name)
    if tag and tag[1] != target.cpython_tag:
        return f"is built for {tag[1]}, not for {target.cpython_tag}"
    bits = {1: 32, 2: 64}.get(content[4])
    (machine,) = struct.unpack_from("<H" if content[5] == 1 else ">H", content, 18)
    if bits != 64 or machine != MACHINES[target.machine]:
        return f"is built for another processor than {target.machine}"
    if b"\0libc.musl-" in content:
        return "is built for musl, not for glibc"
    needed = max(_glibc_versions(content), default=(0, 0))
    if needed > target.glibc:
        return f"needs glibc {_dotted(needed)}, and {target.platform} promises {_dotted(target.glibc)}"
    return None


def _glibc_versions(content: bytes) -> Iterator[tuple[int, int]]:
    """The versions of glibc whose symbols the object asks for, from its table of names."""
    for match in re.finditer(rb"\0GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\0)", content):
        yield int(match[1]), int(match[2])


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
