"""A memory-mapped file of named byte sections, with a header of facts and checksums.

Layout: 8 bytes magic, two little-endian uint32 (length and CRC-32 of the header), the header as JSON, then the
sections, each at a multiple of 64 bytes. A section's CRC-32 is verified on first use, so that a reader of one table
does not read the others.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MAGIC = b"LEXICON\n"
FORMAT = 3
ALIGNMENT = 64
_PREFIX = struct.Struct("<8sII")


class DamagedFile(Exception):
    """The file is truncated, overwritten, or of another format or byte order."""


def write(path: Path, facts: Mapping[str, Any], sections: Mapping[str, bytes]) -> None:
    """Write the file atomically: a reader sees the old file or the whole new one, also between two writers."""
    places: dict[str, list[int]] = {}
    offset = 0  # from the first section, since the header's length depends on the offsets
    for name, content in sections.items():
        places[name] = [offset, len(content), zlib.crc32(content)]
        offset += len(content) + -len(content) % ALIGNMENT
    header = json.dumps(
        {**facts, "format": FORMAT, "byteorder": sys.byteorder, "sections": places}, ensure_ascii=False
    ).encode()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_PREFIX.pack(MAGIC, len(header), zlib.crc32(header)) + header)
            for content in sections.values():
                file.write(b"\0" * (-file.tell() % ALIGNMENT) + content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # with mkstemp's 0600 the user of a function could not read a packaged file
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class TableFile:
    """A file that `write` wrote, mapped into memory. Raises DamagedFile, or an OSError of opening."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            try:
                self._bytes = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            except ValueError as error:  # mmap refuses an empty file
                raise DamagedFile(f"{path} is empty") from error
        if len(self._bytes) < _PREFIX.size:
            raise DamagedFile(f"{path} is truncated")
        magic, length, checksum = _PREFIX.unpack_from(self._bytes)
        header = bytes(self._bytes[_PREFIX.size : _PREFIX.size + length])
        if magic != MAGIC or zlib.crc32(header) != checksum:
            raise DamagedFile(f"{path} has a damaged header")
        self.header: dict[str, Any] = json.loads(header)
        self._places: dict[str, tuple[int, int, int]] = self.header["sections"]
        if self.header["format"] != FORMAT or self.header["byteorder"] != sys.byteorder:
            raise DamagedFile(f"{path} has another format or byte order than this program and machine")
        end = _PREFIX.size + length
        self._start = end + -end % ALIGNMENT
        if len(self._bytes) < self._start + max(offset + length for offset, length, _ in self._places.values()):
            raise DamagedFile(f"{path} is truncated")
        self._verified: dict[str, memoryview] = {}

    def section(self, name: str) -> memoryview:
        """Return the section's bytes, verified. Raises DamagedFile."""
        if name not in self._verified:
            offset, length, checksum = self._places[name]
            content = self._bytes[self._start + offset : self._start + offset + length]
            if zlib.crc32(content) != checksum:
                raise DamagedFile(f"{self.path} is damaged in its section {name}")
            self._verified[name] = content
        return self._verified[name]

    def check(self) -> None:
        """Verify all sections. Raises DamagedFile."""
        for name in self._places:
            self.section(name)

    def array(self, name: str, typecode: str) -> memoryview:
        """Return the section as numbers, with a typecode of the `array` module."""
        numbers: memoryview = self.section(name).cast(typecode)  # type: ignore[call-overload]
        return numbers
