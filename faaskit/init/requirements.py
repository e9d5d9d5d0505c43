"""The packages of a project whose files name none: those that it imports, as they are installed here."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions, version
from pathlib import Path

from faaskit.init.source import Module


def imported_packages(folder: Path, modules: Iterable[Module]) -> list[str]:
    """Return `name==version` of each package; none at all where an import is not installed: the rest would mislead."""
    own = {path.stem for path in folder.iterdir()}
    installed = _installed()
    names: set[str] = set()
    for module in modules:
        imported = {source.partition(".")[0] for source in module.imports.values()} - {""}
        if not imported <= own | sys.stdlib_module_names | installed.keys():
            return []
        names |= (imported | set(_apps(module.tree))) - own - sys.stdlib_module_names
    packages = {package for name in names for package in installed.get(name, ())}
    return [f"{package}=={version(package)}" for package in sorted(packages, key=str.lower)]


def _installed() -> dict[str, set[str]]:
    """Return the packages that install each top-level module. Python 3.10's packages_distributions misses some."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for package in distributions():
        names = (package.read_text("top_level.txt") or "").split()
        for name in names or {path.parts[0] for path in package.files or () if path.suffix == ".py"}:
            found[name.removesuffix(".py")].add(package.metadata["Name"])
    return found


def _apps(tree: ast.Module) -> Iterator[str]:
    """Yield the package of each entry of INSTALLED_APPS and MIDDLEWARE, which no statement imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id in ("INSTALLED_APPS", "MIDDLEWARE") for target in node.targets
        ):
            constants = [item.value for item in ast.walk(node.value) if isinstance(item, ast.Constant)]
            yield from (value.partition(".")[0] for value in constants if isinstance(value, str))
