"""What is uploaded, beside what `pip install -t` and the project's folders give?

python -m benchmarks.package_sizes
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.servers import ROOT
from faaskit import project
from faaskit.package import archives, build
from faaskit.package.archives import Size
from faaskit.package.target import Target, find_python
from faaskit.units import MEGABYTE


def target_python() -> str:
    """Return the Python that ships; SystemExit where there is none."""
    return find_python("3.10") or sys.exit("Python 3.10 is what ships, and there is none here.")


def build_package(folder: Path) -> build.Package:
    """Build the package."""
    return build.build(project.read(ROOT), folder, Target.parse("3.10", "manylinux2014_x86_64"), print)


def make_plain_upload(folder: Path, *peers: str) -> None:
    """Copy the project to `folder/function`, and install its requirements and `peers` into `folder/layer` once."""
    shutil.rmtree(folder / "function", ignore_errors=True)
    for name in ("mydjango", "survey"):
        shutil.copytree(ROOT / name, folder / "function" / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ("index.py", "manage.py"):
        shutil.copy(ROOT / name, folder / "function")
    if not (folder / "layer").exists():
        print("Installing the packages with pip install -t.")
        command = [target_python(), "-m", "pip", "install", "--quiet", "-t", str(folder / "layer")]
        subprocess.run([*command, "-r", str(ROOT / "requirements.txt"), *peers], check=True, stderr=subprocess.DEVNULL)


def main() -> None:
    """Build both uploads and print their sizes."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        print(build_package(work / "packaged").table)
        make_plain_upload(work / "plain")
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
