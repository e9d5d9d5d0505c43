"""Find requests that a package can be tried with: pages without parameters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from faaskit.init.detect import CONSTRUCTORS
from faaskit.init.source import Module

ADMIN = re.compile(r"""path\(\s*["']([^"'<]*)["']\s*,\s*admin\.site\.urls""")  # Django's, in an URLconf
HEALTH = re.compile(r"/(health|healthz|health_check|live|livez|ready|readyz|ping)/?")


def get_paths(modules: Iterable[Module]) -> list[str]:
    """Return the paths that decorators of an application route GET requests to, and Django's admin, in order."""
    return list(dict.fromkeys(path for module in modules for path in _paths(module)))


def _paths(module: Module) -> Iterator[str]:
    source = module.path.read_text(encoding="utf-8", errors="replace")
    yield from (f"/{prefix}login/" for prefix in ADMIN.findall(source))
    applications = {
        target.id
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name) and module.resolve(node.value.func) in CONSTRUCTORS
    }
    for node in ast.walk(module.tree):
        for decorator in getattr(node, "decorator_list", []):
            match decorator:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="get" | "route"),
                    args=[ast.Constant(value=str(path)), *_],
                    keywords=keywords,
                ) if name in applications and re.fullmatch(r"/[^<{]*", path):
                    methods = [ast.unparse(keyword.value) for keyword in keywords if keyword.arg == "methods"]
                    if not methods or "GET" in methods[0]:
                        yield path
