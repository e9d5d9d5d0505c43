"""Find the environment variables that a project's source reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from faaskit.init.source import Module

NAME = re.compile(r"[A-Z][A-Z0-9_]+")
GETTERS = ("os.environ.get", "os.getenv")
READERS = ("env", "config")  # objects of django-environ, environs and python-decouple, by their usual names
# Of the platform, the shell or the bridge.
OTHERS = frozenset({"DJANGO_SETTINGS_MODULE", "HOME", "PATH", "PUBLIC_URL", "PYTHONPATH", "TMPDIR", "WSGI_APPLICATION"})


def environment_variables(modules: Iterable[Module]) -> dict[str, bool]:
    """Return the names of the variables, sorted, and whether the code fails without them."""
    found: dict[str, bool] = {}
    for module in modules:
        for node in ast.walk(module.tree):
            for name, required in _read(module, node):
                found[name] = found.get(name, False) or required
    return {name: found[name] for name in sorted(found.keys() - OTHERS)}


def _read(module: Module, node: ast.AST) -> list[tuple[str, bool]]:
    """Return the variable that an expression reads, if any."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        key, required = node.slice, module.resolve(node.value) == "os.environ"
        return _named(key, True) if required else []
    if not isinstance(node, ast.Call) or not node.args:
        return []
    reader = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    if module.resolve(node.func) in GETTERS:
        return _named(node.args[0], False)
    if isinstance(reader, ast.Name) and reader.id in READERS:
        has_default = len(node.args) > 1 or any(keyword.arg == "default" for keyword in node.keywords)
        return _named(node.args[0], not has_default)
    return []


def _named(key: ast.expr, required: bool) -> list[tuple[str, bool]]:
    if isinstance(key, ast.Constant) and isinstance(key.value, str) and NAME.fullmatch(key.value):
        return [(key.value, required)]
    return []
