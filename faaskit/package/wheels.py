"""Wheels for the target, on any machine: downloaded, or built where there is only source, then checked and unpacked.

A wheel's tags promise Python, processor and C library, and pip downloads only wheels whose tags fit the target. The
machine code of downloaded wheels is therefore not read again; is_pure() looks at the wheels that are built here.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Collection, Iterable
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from faaskit.package.target import PackageError, Target

SHARED_OBJECT = re.compile(r"\.(so(\.\d+)*|pyd|dll|dylib)$")  # of Linux, Windows and macOS


def read_requirements(path: Path, target: Target) -> list[Requirement]:
    """Return the requirements whose markers hold on the target; raises PackageError for one that is not pinned.

    pip would compare the markers with the machine that it runs on, also when it downloads for another.
    """
    requirements = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        if not text:
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise PackageError(f"{path.name}: {text!r} is not a requirement: {error}.") from None
        if not any(specifier.operator in ("==", "===") for specifier in requirement.specifier):
            raise PackageError(f"{path.name} does not pin {requirement.name}: write {requirement.name}==VERSION.")
        if requirement.marker is None or requirement.marker.evaluate(target.marker_environment()):
            requirements.append(requirement)
    return requirements


def fetch(requirements: Iterable[Requirement], target: Target, folder: Path) -> list[Path]:
    """Download or build one wheel for each requirement into `folder`; raises PackageError where there is none."""
    wheels: list[Path] = []
    for requirement in requirements:
        pinned = f"{requirement.name}{requirement.specifier}"
        into = folder / canonicalize_name(requirement.name)
        into.mkdir(parents=True)
        refusal = _download(pinned, target, into)
        if refusal is not None:
            _build(pinned, target, into, refusal)
        wheels += into.glob("*.whl")
    return sorted(wheels, key=lambda wheel: wheel.name.lower())


def _download(pinned: str, target: Target, into: Path) -> str | None:
    """Download the target's wheel; return pip's error output where there is none."""
    options = ["--platform", target.platform, "--python-version", target.python, "--implementation", "cp"]
    return _pip("download", "--no-deps", "--only-binary=:all:", *options, "--dest", str(into), pinned)


def _build(pinned: str, target: Target, into: Path, refusal: str) -> None:
    """Build the source archive; raises PackageError where there is none or where it gives no pure wheel."""
    name = pinned.partition("=")[0]
    failure = _pip("wheel", "--no-deps", "--use-pep517", "--no-binary", name, "-w", str(into), pinned)
    wheels = list(into.glob("*.whl"))
    if failure is None and wheels and all(is_pure(wheel) for wheel in wheels):
        return
    for wheel in wheels:
        wheel.unlink()
    if failure is not None and "No matching distribution" in failure:
        detail = "and there is no source archive either" if "from versions: none" not in refusal else "or of that name"
        detail = f"{detail}: check name and version"
    elif failure is not None:
        detail = "and its source archive could not be built"
    else:
        detail = "and its source archive builds into a binary for this machine, not into a pure wheel"
    raise PackageError(f"{pinned} has no wheel for {target.platform} and CPython {target.python}, {detail}.")


def _pip(*arguments: str) -> str | None:
    """Run pip; return None on success, else its output. Raises PackageError where pip or its index is missing."""
    command = [sys.executable, "-m", "pip", arguments[0], "--quiet", "--no-input", "--disable-pip-version-check"]
    ended = subprocess.run([*command, *arguments[1:]], capture_output=True, text=True)
    if ended.returncode == 0:
        return None
    if "No module named pip" in ended.stderr:
        raise PackageError(f"{sys.executable} has no pip: install it with `python -m ensurepip`.")
    if re.search(
        r"(Connection|NewConnection|Timeout|SSL|Proxy)Error|Temporary failure in name resolution", ended.stderr
    ):
        raise PackageError(f"pip did not reach the package index for {arguments[-1]}: {ended.stderr.splitlines()[-1]}")
    return ended.stderr + ended.stdout


def is_pure(wheel: Path) -> bool:
    """Return whether a wheel built here runs on any Python 3 of any system.

    A setup.py may compile a library into a wheel that it tags as pure: on the platform it would not load.
    """
    tags = parse_wheel_filename(wheel.name)[3]
    if not any(tag.abi == "none" and tag.platform == "any" and tag.interpreter.startswith("py3") for tag in tags):
        return False
    with zipfile.ZipFile(wheel) as archive:
        return not any(SHARED_OBJECT.search(name) for name in archive.namelist())


def check_complete(
    wheels: Iterable[Path], requirements: Iterable[Requirement], target: Target, unneeded: Collection[str]
) -> None:
    """Raise PackageError for a wheel that requires a package neither pinned nor in `unneeded`."""
    extras = {canonicalize_name(requirement.name): requirement.extras for requirement in requirements}
    present = {*extras, *unneeded}
    for wheel in wheels:
        name = parse_wheel_filename(wheel.name)[0]
        for line in _metadata(wheel).get_all("Requires-Dist", []):
            needed = Requirement(line)
            chosen = ["", *extras.get(name, ())]
            wanted = needed.marker is None or any(
                needed.marker.evaluate({**target.marker_environment(), "extra": extra}) for extra in chosen
            )
            if wanted and canonicalize_name(needed.name) not in present:
                raise PackageError(f"{wheel.name} needs {needed.name}, which requirements.txt does not pin.")


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        return HeaderParser().parsestr(archive.read(name).decode("utf-8"))


def files_of(wheel: Path) -> Iterable[tuple[PurePosixPath, bytes]]:
    """Yield (installed path, content) for each file of a wheel but its scripts and headers.

    Raises PackageError for a path that leads out of the wheel.
    """
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            path = PurePosixPath(info.filename)
            if info.is_dir():
                continue
            if path.parts[0].endswith(".data"):
                if len(path.parts) < 3 or path.parts[1] not in ("purelib", "platlib"):
                    continue
                path = PurePosixPath(*path.parts[2:])
            if path.is_absolute() or ".." in path.parts:
                raise PackageError(f"{wheel.name} holds {info.filename}, a path outside of itself.")
            yield path, archive.read(info)
