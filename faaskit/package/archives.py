"""Zip files that come out the same for the same input, and how they compare with the platform's limits."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from faaskit.units import MEGABYTE

EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip's earliest date; Python does not look at it, the byte code is not bound to dates

CONSOLE_LIMIT = 10 * MEGABYTE  # function.zip: more cannot be edited in the console
UPLOAD_LIMIT = 50 * MEGABYTE  # each zip
UNZIPPED_LIMIT = 500 * MEGABYTE  # function and layers together


@dataclass
class Size:
    """Bytes of some files, in the zip and unzipped."""

    zipped: int = 0
    unzipped: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.zipped + other.zipped, self.unzipped + other.unzipped)


def write_zip(folder: Path, archive: Path) -> dict[str, Size]:
    """Zip a folder's files; the size of each by its path. Names in order, no dates, the same rights for all."""
    sizes = {}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            if not path.is_file():
                continue
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            info.create_system = 3  # Unix, also when Windows writes it: else the rights do not count
            info.external_attr = (0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, path.read_bytes())
            sizes[info.filename] = Size(info.compress_size, info.file_size)
    return sizes


def over_limit(function_zip: int, layer_zip: int, unzipped: int) -> list[str]:
    """One sentence for each of the platform's limits that is exceeded."""
    checks = (
        ("function.zip", function_zip, CONSOLE_LIMIT, "what the console edits"),
        ("function.zip", function_zip, UPLOAD_LIMIT, "what can be uploaded"),
        ("layer.zip", layer_zip, UPLOAD_LIMIT, "what can be uploaded"),
        ("function and layer unzipped", unzipped, UNZIPPED_LIMIT, "what an instance holds"),
    )
    return [
        f"{what} has {size / MEGABYTE:.1f} MB, more than {why}, {limit // MEGABYTE} MB."
        for what, size, limit, why in checks
        if size > limit
    ]


def table(rows: Mapping[str, Size], function: Size, layer: Size) -> str:
    """Sizes by package, largest first, and the totals beside the limits."""
    lines = [f"{'':34}{'zipped':>12}{'unzipped':>12}   limit"]

    def line(name: str, size: Size, limit: str = "") -> str:
        return f"{name:34}{size.zipped / 1000:>9,.0f} kB{size.unzipped / 1000:>9,.0f} kB   {limit}".rstrip()

    lines += [line(name, size) for name, size in sorted(rows.items(), key=lambda row: -row[1].zipped)]
    lines.append(line("function.zip", function, f"{CONSOLE_LIMIT // MEGABYTE} MB to be edited in the console"))
    lines.append(line("layer.zip", layer, f"{UPLOAD_LIMIT // MEGABYTE} MB to be uploaded"))
    lines.append(line("together", function + layer, f"{UNZIPPED_LIMIT // MEGABYTE} MB unzipped"))
    return "\n".join(lines)
