"""The packages of a project, resolved, locked and installed by uv for the target, on any machine.

uv takes a wheel whose tags fit the target wherever a version has one. A package without any is built from its source
archive, which counts only when the result runs everywhere.
"""

from __future__ import annotations

import ast
import csv
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import uv

from faaskit.package.target import PackageError, Target
from faaskit.project import REQUIREMENTS, Project, requirement_files

EXPORTS = {
    "poetry.lock": "poetry export --output requirements.txt",  # plugin poetry-plugin-export
    "Pipfile.lock": "pipenv requirements > requirements.txt",
}
SHARED_OBJECT = re.compile(r"\.(so(\.\d+)*|pyd|dll|dylib)$")  # of Linux, Windows and macOS
NEEDS_SOURCE = re.compile(r"Wheels are required for `([^`]+)`|Building source distributions for `([^`]+)` is disabled")
# pip's settings and uv's options for them.
INDEX_OPTIONS = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "cert": "--cert",
    "trusted-host": "--allow-insecure-host",
}
UV_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")


def find_source(project: Project) -> Path:
    """Return the file that names the project's packages; raises PackageError where there is none that uv reads."""
    found = next(iter(requirement_files(project.folder, project.requirements)), None)
    if found is None:
        raise PackageError(f"{project.folder} names no packages: write {project.requirements or REQUIREMENTS[0]}.")
    if found.name in EXPORTS:
        raise PackageError(f"{found.name} is read as its export: run '{EXPORTS[found.name]}'.")
    return found


@dataclass
class Installation:
    """The installation of a project's packages for a target; `lock` keeps the versions between builds."""

    project: Project
    target: Target
    python: str  # the interpreter that builds source archives
    lock: Path
    work: Path  # for temporary files
    server: tuple[str, ...] = ()  # what a Web function needs besides; a project that names the package decides itself
    built: list[str] = field(default_factory=list)  # packages without a wheel, which are built from source
    index: list[str] = field(default_factory=lambda: index_options())

    def install(self, folder: Path) -> dict[str, str]:
        """Lock and install into `folder`; return the package of each file by its path. Raises PackageError."""
        source = self._exported(find_source(self.project))
        excludes = self.work / "excludes.txt"
        excludes.write_text("\n".join(self.project.unneeded), encoding="utf-8")
        text = source.read_text(encoding="utf-8")
        # Django asks for tzdata on Windows alone; the platform need not have time zones.
        added = ["tzdata"] if self.project.settings else []
        added += [requirement for requirement in self.server if not names(text, requirement)]
        additions = self.work / "additions.txt"
        additions.write_text("".join(f"{line}\n" for line in added), encoding="utf-8")
        compile_ = ["compile", str(source), str(additions), "--output-file", str(self.lock), "--generate-hashes"]
        compile_ += ["--no-header", "--no-annotate", "--excludes", str(excludes)]
        while (errors := self._pip(compile_)) is not None:
            match = NEEDS_SOURCE.search(errors)
            name = (match[1] or match[2]) if match else ""
            if name and name not in self.built:
                self.built.append(name)
            elif self.lock.is_file():
                self.lock.unlink()  # uv looks for a locked version in the first index that has it, and in no other
            else:
                raise PackageError(f"{source.name} cannot be resolved for {self.target}: {_sentence(errors)}")
        install = ["install", "--requirements", str(self.lock), "--no-deps", "--target", str(folder)]
        # The lock is written without looking at the hashes that its source demands.
        if "--hash" in text:
            install += ["--constraints", str(source)]
        errors = self._pip(install)
        if errors is not None:
            raise PackageError(self._build_error(errors) or f"uv cannot install {source.name}: {_sentence(errors)}")
        return self._owners(folder)

    def _exported(self, source: Path) -> Path:
        """Return the source as uv's pip interface reads it."""
        if source.name != "uv.lock":
            return source
        exported = self.work / "uv-lock.txt"
        errors = self._uv(
            ["export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--output-file", str(exported)]
        )
        if errors is not None:
            raise PackageError(f"{source} cannot be read: {_sentence(errors)}")
        return exported

    def _pip(self, arguments: list[str]) -> str | None:
        options = ["--python", self.python, "--python-version", self.target.python]
        options += ["--python-platform", self.target.uv_platform, "--only-binary", ":all:"]
        for name in self.built:
            options += ["--no-binary", name]
        return self._uv(["pip", *arguments, *options, *self.index])

    def _uv(self, arguments: list[str]) -> str | None:
        """Run uv in the project's folder, whose configuration it reads; return its errors, None on success."""
        command = [uv.find_uv_bin(), *arguments, "--quiet", "--color", "never", "--no-python-downloads"]
        ended = subprocess.run(command, cwd=self.project.folder, capture_output=True, text=True, encoding="utf-8")
        return ended.stderr if ended.returncode else None

    def _build_error(self, errors: str) -> str:
        """Return a sentence on a source archive that does not build, '' for another error."""
        failed = re.search(r"Failed to build `([^`]+)`", errors)
        if not failed:
            return ""
        last = errors.partition("\nhint:")[0].strip().splitlines()[-1].strip()
        return f"{failed[1]} has no wheel for {self.target}, and its source archive could not be built: {last}"

    def _owners(self, folder: Path) -> dict[str, str]:
        """Return the package of each file; raises PackageError for one that was built into a binary."""
        owners = {}
        for record in sorted(folder.glob("*.dist-info/RECORD")):
            name, _, version = record.parent.name.removesuffix(".dist-info").partition("-")
            with record.open(encoding="utf-8", newline="") as file:
                paths = [row[0] for row in csv.reader(file) if row]
            if name.replace("_", "-") in self.built and not is_pure(record.parent, paths):
                raise PackageError(
                    f"{name}=={version} has no wheel for {self.target}, and its source archive builds into a binary "
                    "for this machine, not into a pure wheel."
                )
            owners.update(dict.fromkeys(paths, f"{name} {version}"))
        return owners


def names(source: str, requirement: str) -> bool:
    """Return whether a file of requirements, or a lock file, has a line for the package of a requirement."""
    package = re.escape(requirement.partition("==")[0])
    return re.search(rf"^\W*(?:name = \W)?{package}\b", source, re.MULTILINE | re.IGNORECASE) is not None


def is_pure(information: Path, paths: list[str]) -> bool:
    """Return whether a package that was built here runs on any Python 3 of any system, by its .dist-info folder.

    A setup.py may compile a library into a wheel that it tags as pure: on the platform it would not load.
    """
    tags = re.findall(r"^Tag: (py3\S*|py2\.py3)-none-any\s*$", (information / "WHEEL").read_text(), re.MULTILINE)
    return bool(tags) and not any(SHARED_OBJECT.search(path) for path in paths)


def index_options() -> list[str]:
    """Return the index that pip is configured with as uv's options, or none where uv's own variables name one."""
    if any(os.environ.get(name) for name in UV_INDEX_VARIABLES):
        return []
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    found = re.findall(r"^(global|install|:env:)\.([\w-]+)=('.*'|\".*\")$", listed.stdout, re.MULTILINE)
    found.sort(key=lambda setting: ("global", "install", ":env:").index(setting[0]))  # the last one wins
    settings = {name: ast.literal_eval(value).split() for _section, name, value in found}
    options = [f"{option}={value}" for name, option in INDEX_OPTIONS.items() for value in settings.get(name, [])]
    if "extra-index-url" in settings:
        options += ["--index-strategy", "unsafe-best-match"]  # as pip looks at every index
    if settings.get("no-index") in (["1"], ["true"], ["True"]):
        options.append("--no-index")
    return options


def _sentence(errors: str) -> str:
    """Return uv's error, its causes and its hints as one line."""
    parts = re.split(r"^\s*(?:error|cause|hint): ", errors, flags=re.MULTILINE)[1:]
    texts = [" ".join(part.split()) for part in parts]
    return ": ".join(text.rstrip(".") for text in texts if not text.startswith("No solution found")) + "."
