"""Reproducible zip files, and their sizes beside the platform's limits."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from faaskit.units import MEGABYTE
from faaskit.web import bootstrap

EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip's earliest date; Python does not compare it with unchecked bytecode

CONSOLE_LIMIT = 10 * MEGABYTE  # function.zip: a larger one cannot be edited in the console
UPLOAD_LIMIT = 50 * MEGABYTE  # each zip
UNZIPPED_LIMIT = 500 * MEGABYTE  # function and layers together


@dataclass(frozen=True)
class Size:
    """Bytes of some files, in the zip and unzipped."""

    zipped: int = 0
    unzipped: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.zipped + other.zipped, self.unzipped + other.unzipped)


def write_zip(folder: Path, archive: Path) -> dict[str, Size]:
    """Zip a folder with sorted names and one date, and return the size of each file by its path.

    Every file has the same mode, but for the one that a Web function starts with.
    """
    sizes = {}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            if not path.is_file():
                continue
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            info.create_system = 3  # Unix, also when Windows writes it: otherwise the mode is ignored
            mode = bootstrap.MODE if info.filename == bootstrap.NAME else 0o644
            info.external_attr = (stat.S_IFREG | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, path.read_bytes())
            sizes[info.filename] = Size(info.compress_size, info.file_size)
    return sizes


def over_limit(totals: Mapping[str, Size]) -> list[str]:
    """Return one sentence for each limit of the platform that the archives exceed, by their names."""
    checks = [(f"{name}.zip", size.zipped, UPLOAD_LIMIT, "can be uploaded") for name, size in totals.items()]
    if len(totals) > 1:  # alone, the function holds packages that nobody edits
        checks.insert(0, ("function.zip", totals["function"].zipped, CONSOLE_LIMIT, "the console can edit"))
    unzipped = sum(size.unzipped for size in totals.values())
    checks.append((f"{' and '.join(totals)} unzipped", unzipped, UNZIPPED_LIMIT, "an instance holds"))
    return [
        f"{name} has {size / MEGABYTE:.1f} MB, more than the {limit // MEGABYTE} MB that {purpose}."
        for name, size, limit, purpose in checks
        if size > limit
    ]


def table(rows: Mapping[str, Size], totals: Mapping[str, Size]) -> str:
    """Return the sizes of the rows as text, largest first, and the totals beside the limits."""
    lines = [f"{'':34}{'zipped':>12}{'unzipped':>12}   limit"]

    def line(name: str, size: Size, limit: str = "") -> str:
        return f"{name:34}{size.zipped / 1000:>9,.0f} kB{size.unzipped / 1000:>9,.0f} kB   {limit}".rstrip()

    lines += [line(name, size) for name, size in sorted(rows.items(), key=lambda row: -row[1].zipped)]
    lines += [
        line(f"{name}.zip", size, f"{UPLOAD_LIMIT // MEGABYTE} MB to be uploaded") for name, size in totals.items()
    ]
    lines.append(line("together", sum(totals.values(), Size()), f"{UNZIPPED_LIMIT // MEGABYTE} MB unzipped"))
    return "\n".join(lines)
