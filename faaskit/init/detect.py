"""Find the application of a project: Django's by manage.py, any other in the source, without importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from faaskit import project
from faaskit.init.source import Module, modules

# What makes an application, and whether it speaks ASGI.
CONSTRUCTORS = {
    "apiflask.APIFlask": False,
    "blacksheep.Application": True,
    "bottle.Bottle": False,
    "bottle.default_app": False,
    "django.core.asgi.get_asgi_application": True,
    "django.core.wsgi.get_wsgi_application": False,
    "falcon.API": False,
    "falcon.App": False,
    "falcon.asgi.App": True,
    "fastapi.FastAPI": True,
    "fastapi.applications.FastAPI": True,
    "flask.Flask": False,
    "flask.app.Flask": False,
    "flask_openapi3.OpenAPI": False,
    "litestar.Litestar": True,
    "quart.Quart": True,
    "starlette.applications.Starlette": True,
}
METHODS = ("make_wsgi_app", "wsgifunc")  # of Pyramid's Configurator and of web.py
WSGI, ASGI = ["environ", "start_response"], ["scope", "receive", "send"]
LIFESPAN = frozenset({"lifespan", "on_startup", "on_shutdown"})  # arguments of Starlette's constructor
EVENT_HANDLERS = frozenset({"on_event", "add_event_handler", "before_serving", "after_serving"})


class NotFound(project.ProjectError):
    """The folder holds no application, or not the one that was named."""


@dataclass(frozen=True)
class Application:
    """An application by its name for WSGI_APPLICATION: `module:attribute` or `module:factory()`."""

    target: str
    asgi: bool = False
    lifespan: bool = False  # it has code that an ASGI server runs at its start or end
    settings: str = ""  # Django's settings module


def applications(folder: Path) -> list[Application]:
    """Return the applications of a project: of Django's one, of others as many as its source makes.

    Raises NotFound for a folder without any, and ProjectError for a pyproject.toml that cannot be read.
    """
    if (folder / "manage.py").is_file():
        return [_django(folder)]
    inside = sorted(path.parent.name for path in folder.glob("*/manage.py"))
    if inside:
        raise NotFound(f"manage.py is in {' and in '.join(inside)}: run the command in that folder.")
    found = _Search(modules(folder)).result()
    if found:
        return found
    raise NotFound(
        f"{folder} holds no manage.py and no Flask, Falcon, FastAPI or other application that is made at the top of a "
        "module or by a function: name it with --application module:attribute."
    )


def named(folder: Path, target: str) -> Application:
    """Return the application of that name, whose module must exist in the folder. Raises NotFound."""
    if not re.fullmatch(r"[\w.]+:[\w.]+(\(\))?", target):
        raise NotFound(f"--application {target}: write module:attribute, or module:factory() for a function.")
    module = target.partition(":")[0].replace(".", "/")
    if not (folder / f"{module}.py").is_file() and not (folder / module / "__init__.py").is_file():
        raise NotFound(f"--application {target}: {folder} holds no {module}.py and no {module}/__init__.py.")
    try:
        found = applications(folder)
    except NotFound:
        found = []
    settings = next((application.settings for application in found if application.settings), "")
    return next((each for each in found if each.target == target), Application(target, settings=settings))


def _django(folder: Path) -> Application:
    """Return the application of a Django project, by WSGI_APPLICATION of its settings or by its wsgi.py."""
    known = project.read(folder)
    if not known.settings:
        raise NotFound(f"{folder / 'manage.py'} names no DJANGO_SETTINGS_MODULE: is it Django's?")
    path = folder.joinpath(*known.settings.split("."))
    for file in [path.with_suffix(".py"), *sorted(path.glob("*.py")), *sorted(path.parent.glob("*.py"))]:
        source = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        if match := re.search(r"""^WSGI_APPLICATION\s*=\s*["']([\w.]+)\.(\w+)["']""", source, re.MULTILINE):
            return Application(f"{match[1]}:{match[2]}", settings=known.settings)
    target = known.application or "django.core.wsgi:get_wsgi_application()"
    return Application(target, settings=known.settings)


class _Search:
    """The applications that some modules make."""

    def __init__(self, searched: Iterable[Module]) -> None:
        self.modules = list(searched)
        self.factories: dict[str, bool] = {}  # dotted name of a function: whether its application is ASGI
        self.need_arguments: set[str] = set()  # those of the factories that cannot be called without
        self.objects: dict[str, bool] = {}  # dotted name of an object: the same
        self.parts: set[str] = set()  # dotted names of what another application mounts, or that factories made

    def result(self) -> list[Application]:
        for module in self.modules:
            self._find_factories(module)
        for module in self.modules:
            self._find_objects(module)
        for module in self.modules:
            self._find_mounted(module)
        return [
            Application(f"{module.name}:{name}", asgi, asgi and _has_lifespan(module))
            for module in self.modules
            for name, asgi in self._names(module)
        ]

    def _names(self, module: Module) -> list[tuple[str, bool]]:
        """Return the attributes of a module that are applications of their own, objects before factories."""
        found = []
        for group, call in ((self.objects, ""), (self.factories, "()")):
            for dotted, asgi in group.items():
                owner, _, name = dotted.rpartition(".")
                if owner == module.name and dotted not in self.parts | self.need_arguments:
                    found.append((name + call, asgi))
        return found

    def _made_by(self, module: Module, node: ast.expr | None) -> bool | None:
        """Return whether a call makes an ASGI application; None where it makes none."""
        if not isinstance(node, ast.Call):
            return None
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            return False
        dotted = module.resolve(node.func)
        return CONSTRUCTORS.get(dotted, self.factories.get(dotted))

    def _find_factories(self, module: Module) -> None:
        """Note the functions that return an application that they make."""
        for function in module.statements():
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            parameters = [parameter.arg for parameter in function.args.args]
            dotted = f"{module.name}.{function.name}"
            is_async = isinstance(function, ast.AsyncFunctionDef)
            if parameters == (ASGI if is_async else WSGI):
                self.objects[dotted] = is_async
                continue
            if is_async or len(parameters) - len(function.args.defaults) + function.args.kw_defaults.count(None):
                self.need_arguments.add(dotted)
            made: dict[str, bool] = {}
            for node in ast.walk(function):
                if isinstance(node, ast.Assign | ast.AnnAssign):
                    asgi = self._made_by(module, node.value)
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    made |= {target.id: asgi for target in targets if isinstance(target, ast.Name) and asgi is not None}
                elif isinstance(node, ast.Return):
                    if isinstance(node.value, ast.Call):  # of another factory, which is then no application of its own
                        self.parts |= {module.resolve(node.value.func)} & self.factories.keys()
                    name = node.value.id if isinstance(node.value, ast.Name) else ""
                    asgi = made[name] if name in made else self._made_by(module, node.value)
                    if asgi is not None:
                        self.factories[dotted] = asgi

    def _find_objects(self, module: Module) -> None:
        """Note the names that a module binds to an application when it is imported."""
        for statement in module.statements():
            if not isinstance(statement, ast.Assign | ast.AnnAssign):
                continue
            asgi = self._made_by(module, statement.value)
            if asgi is None:
                continue
            if isinstance(statement.value, ast.Call):
                self.parts |= {module.resolve(statement.value.func)} & self.factories.keys()
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if isinstance(target, ast.Name):
                self.objects[f"{module.name}.{target.id}"] = asgi

    def _find_mounted(self, module: Module) -> None:
        """Note the applications that another one serves below a path: `app.mount("/api", api)`."""
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "mount":
                self.parts |= {module.resolve(argument) for argument in node.args}


def _has_lifespan(module: Module) -> bool:
    """Return whether a module of an ASGI application registers code for the server's start or end."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = module.resolve(node.func)
            if called in CONSTRUCTORS and LIFESPAN & {keyword.arg for keyword in node.keywords}:
                return True
            if called.rpartition(".")[2] in EVENT_HANDLERS:
                return True
        elif isinstance(node, ast.Attribute) and node.attr in EVENT_HANDLERS:
            return True
    return False
