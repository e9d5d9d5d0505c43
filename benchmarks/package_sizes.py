"""What is uploaded, beside what `pip install -t` and the project's folder give, as most people upload it.

.venv/bin/python -m benchmarks.package_sizes
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from faaskit.package import archives, build
from faaskit.package.archives import DECIMAL_MEGABYTE, Size
from faaskit.package.target import Target, find_python

PROJECT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Build both and print their sizes."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        built = build.build(PROJECT, work / "ours", Target.parse("3.10", "manylinux2014_x86_64"), print)
        print(built.table)
        python = find_python("3.10") or [sys.executable]
        install = [*python, "-m", "pip", "install", "-q", "-t", str(work / "layer"), "-r", "requirements.txt"]
        subprocess.run(install, cwd=PROJECT, check=True, stderr=subprocess.DEVNULL)
        (work / "function").mkdir()
        for name in ("index.py", "manage.py", "mydjango", "survey"):
            source = PROJECT / name
            if source.is_dir():
                shutil.copytree(source, work / "function" / name)
            else:
                shutil.copy(source, work / "function")
        print(
            f"\n{'':24}{'ours, zipped':>14}{'unzipped':>10}{'pip install -t, zipped':>24}{'unzipped':>10}{'ratio':>8}"
        )
        for name in ("function", "layer"):
            ours, plain = measure(work / "ours" / name, work), measure(work / name, work)
            print(
                f"{name:24}{megabytes(ours.zipped):>14}{megabytes(ours.unzipped):>10}"
                f"{megabytes(plain.zipped):>24}{megabytes(plain.unzipped):>10}{ours.zipped / plain.zipped:>8.2f}"
            )


def measure(folder: Path, work: Path) -> Size:
    """Zip a folder and say how large it is."""
    archive = work / "measured.zip"
    sizes = archives.write_zip(folder, archive)
    return Size(archive.stat().st_size, sum(size.unzipped for size in sizes.values()))


def megabytes(size: int) -> str:
    """As the tables print it."""
    return f"{size / DECIMAL_MEGABYTE:.1f} MB"


if __name__ == "__main__":
    main()
