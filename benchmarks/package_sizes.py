"""What is uploaded, beside what `pip install -t` and the project's folders give?

python -m benchmarks.package_sizes
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import uploads
from faaskit.package import archives
from faaskit.package.archives import Size
from faaskit.units import MEGABYTE


def main() -> None:
    """Build both uploads and print their sizes."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        print(uploads.packaged(work / "packaged").table)
        uploads.plain(work / "plain")
        columns = ("packaged, zipped", "unzipped", "pip install -t, zipped", "unzipped", "ratio")
        print("\n" + " " * 8 + "".join(f"{column:>24}" for column in columns))
        for name in ("function", "layer"):
            ours, plain = measure(work / "packaged" / name, work), measure(work / "plain" / name, work)
            sizes = (ours.zipped, ours.unzipped, plain.zipped, plain.unzipped)
            cells = "".join(f"{size / MEGABYTE:21.1f} MB" for size in sizes)
            print(f"{name:8}{cells}{ours.zipped / plain.zipped:24.2f}")


def measure(folder: Path, work: Path) -> Size:
    """Zip a folder and return its size."""
    sizes = archives.write_zip(folder, work / "measured.zip")
    return Size((work / "measured.zip").stat().st_size, sum(size.unzipped for size in sizes.values()))


if __name__ == "__main__":
    main()
