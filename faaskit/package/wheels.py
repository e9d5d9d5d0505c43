"""Wheels for the target, whatever runs this: downloaded, built where there is only source, checked, unpacked."""

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


def read_requirements(path: Path, target: Target) -> list[Requirement]:
    """The pinned requirements that hold on the target; PackageError for one that pins nothing.

    Markers are compared here, since pip compares them with the machine that it runs on, also when it downloads for
    another.
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
        if requirement.marker is None or requirement.marker.evaluate(_environment(target)):
            requirements.append(requirement)
    return requirements


def fetch(requirements: Iterable[Requirement], target: Target, folder: Path) -> list[Path]:
    """One wheel for each requirement, in `folder`; a source archive is built where that gives a pure wheel."""
    wheels: list[Path] = []
    for requirement in requirements:
        exact = f"{requirement.name}{requirement.specifier}"
        into = folder / canonicalize_name(requirement.name)
        into.mkdir(parents=True)
        refusal = _download(exact, target, into)
        if refusal is not None:
            _build(exact, target, into, refusal)
        wheels += into.glob("*.whl")
    return sorted(wheels, key=lambda wheel: wheel.name.lower())


def _download(exact: str, target: Target, into: Path) -> str | None:
    """Download the target's wheel; pip's refusal where there is none."""
    options = ["--platform", target.platform, "--python-version", target.python, "--implementation", "cp"]
    return _pip("download", "--no-deps", "--only-binary=:all:", *options, "--dest", str(into), exact)


def _build(exact: str, target: Target, into: Path, refusal: str) -> None:
    """Build a source archive; PackageError where there is none or where it does not give a pure wheel."""
    failure = _pip("wheel", "--no-deps", "--use-pep517", "--no-binary", exact.partition("=")[0], "-w", str(into), exact)
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
    raise PackageError(f"{exact} has no wheel for {target.platform} and CPython {target.python}, {detail}.")


def _pip(*arguments: str) -> str | None:
    """Run pip; None when it did what was asked, else what it said."""
    command = [sys.executable, "-m", "pip", arguments[0], "--quiet", "--no-input", "--disable-pip-version-check"]
    done = subprocess.run([*command, *arguments[1:]], capture_output=True, text=True)
    if done.returncode == 0:
        return None
    if "No module named pip" in done.stderr:
        raise PackageError(f"{sys.executable} has no pip: install it with `python -m ensurepip`.")
    if re.search(
        r"(Connection|NewConnection|Timeout|SSL|Proxy)Error|Temporary failure in name resolution", done.stderr
    ):
        raise PackageError(f"pip did not reach the package index for {arguments[-1]}: {done.stderr.splitlines()[-1]}")
    return done.stderr + done.stdout


def is_pure(wheel: Path) -> bool:
    """Whether the wheel's name says that it runs on any Python 3 of any system."""
    tags = parse_wheel_filename(wheel.name)[3]
    return any(tag.abi == "none" and tag.platform == "any" and tag.interpreter.startswith("py3") for tag in tags)


def check_complete(
    wheels: Iterable[Path], requirements: Iterable[Requirement], target: Target, unneeded: Collection[str]
) -> None:
    """PackageError when a wheel needs a package that is neither pinned nor known to be unneeded at run time."""
    extras = {canonicalize_name(requirement.name): requirement.extras for requirement in requirements}
    present = {*extras, *unneeded}
    for wheel in wheels:
        name = parse_wheel_filename(wheel.name)[0]
        for line in _metadata(wheel).get_all("Requires-Dist", []):
            needed = Requirement(line)
            chosen = ["", *extras.get(name, ())]
            wanted = needed.marker is None or any(
                needed.marker.evaluate({**_environment(target), "extra": extra}) for extra in chosen
            )
            if wanted and canonicalize_name(needed.name) not in present:
                raise PackageError(f"{wheel.name} needs {needed.name}, which requirements.txt does not pin.")


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        return HeaderParser().parsestr(archive.read(name).decode("utf-8"))


def _environment(target: Target) -> dict[str, str]:
    return {**target.marker_environment(), "extra": ""}


def files_of(wheel: Path) -> Iterable[tuple[PurePosixPath, bytes]]:
    """(installed path, content) of each file of a wheel; its scripts and headers have no place in a layer."""
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
