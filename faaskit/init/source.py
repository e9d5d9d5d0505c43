"""Read a project's Python files without importing them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

WRITTEN = frozenset({"index.py", "wsgi_instance.py", "wsgi_static.py"})  # by `faaskit init`, at the top of the folder
# Folders that hold no code of the function, beside hidden ones and virtual environments.
NOT_CODE = frozenset(
    {"__pycache__", "build", "dist", "docs", "examples", "instance", "migrations", "node_modules", "test", "tests"}
)


@dataclass(frozen=True)
class Module:
    """One parsed file; `name` is what the function imports it by."""

    name: str
    tree: ast.Module
    path: Path = field(compare=False)

    @cached_property
    def imports(self) -> dict[str, str]:
        """Names that the module's import statements bind, each with the dotted name of what it stands for."""
        bound = {}
        package = self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    bound[alias.asname or name] = name
            elif isinstance(node, ast.ImportFrom):
                parents = package.split(".")[: 1 - node.level or None] if node.level else []
                source = ".".join([*parents, *([node.module] if node.module else [])])
                bound |= {alias.asname or alias.name: f"{source}.{alias.name}" for alias in node.names}
        return bound

    def resolve(self, node: ast.expr) -> str:
        """Return the dotted name of an expression such as `flask.Flask`; '' for any other expression."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, f"{self.name}.{node.id}")
        if isinstance(node, ast.Attribute) and (value := self.resolve(node.value)):
            return f"{value}.{node.attr}"
        return ""

    def statements(self) -> Iterator[ast.stmt]:
        """Yield the statements that run on import, those of `try` among them."""
        for statement in self.tree.body:
            yield statement
            if isinstance(statement, ast.Try):
                yield from statement.body


def files(folder: Path) -> Iterator[Path]:
    """Yield the files that may belong to the function, in order."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if _holds_code(Path(parent, name)))
        yield from (Path(parent, name) for name in sorted(names))


def modules(folder: Path) -> list[Module]:
    """Parse every Python file that may belong to the function; one that is not valid Python is left out."""
    found = []
    for path in files(folder):
        parts = path.relative_to(folder).with_suffix("").parts
        is_test = path.name.startswith("test_") or path.name == "conftest.py"
        if path.suffix != ".py" or is_test or f"{'/'.join(parts)}.py" in WRITTEN:
            continue
        dotted = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        try:
            found.append(Module(dotted, ast.parse(path.read_bytes()), path))
        except (SyntaxError, ValueError):
            continue
    return found


def _holds_code(folder: Path) -> bool:
    return not (folder.name.startswith(".") or folder.name in NOT_CODE or (folder / "pyvenv.cfg").exists())
