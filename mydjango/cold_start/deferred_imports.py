"""Import modules when they are first used, not when another module names them.

A request runs a fraction of what Django imports for it: asyncio, the debug page, class-based views, the parser of SQL.
`install` puts a finder before Python's own, which returns listed modules without running their code. The first access
to one of their attributes runs it: the same code, later. Nothing is patched or copied, and a module that is used costs
what it always did. deferred_modules.py has the list.

importlib.util.LazyLoader is not used: it imports submodules of a deferred package twice, and before Python 3.12 it is
not safe with threads. Here the import system itself runs the code, once, under its own locks.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module as _import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from mydjango.cold_start import serial_imports

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    Loader = object  # importlib.abc imports tempfile and zipfile since Python 3.11


class Deferred(NamedTuple):
    """The names of a module that are available without running its code."""

    submodules: Sequence[str] = ()  # imported without their package's code
    exports: Mapping[str, str] = {}  # {name: submodule} of names that the package imports from a submodule
    stand_ins: Sequence[str] = ()  # classes and functions, replaced by a StandIn
    values: Mapping[str, object] = {}  # values that are known until the code has run


_pending: dict[str, Deferred] = {}  # modules whose code has not finished
_lazy_modules: dict[str, _LazyModule] = {}  # those of them that are in use
_running: dict[str, int] = {}  # those of them whose code runs, and the id of the thread that runs it


def import_module(name: str) -> ModuleType:
    """Import a module in this thread's turn."""
    with serial_imports.turn:
        return _import_module(name)


def install(modules: Mapping[str, Deferred]) -> None:
    """Defer these modules from now on, except those that are already imported."""
    _pending.update((name, deferred) for name, deferred in modules.items() if name not in sys.modules)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def load(name: str) -> ModuleType:
    """Run a pending module's code, after its package's, and return it; wait where another thread runs it."""
    with serial_imports.turn:
        if _needs_package(name):
            load(name.rpartition(".")[0])
        module = sys.modules.get(name)
        if isinstance(module, _LazyModule) and name not in _lazy_modules:
            # The import system runs only modules outside of sys.modules; _Finder gives it the same module again.
            _lazy_modules[name] = module
            del sys.modules[name]
        return import_module(name)


def _needs_package(name: str) -> bool:
    """Return whether a module's package is pending and must run before the module."""
    package, _, own_name = name.rpartition(".")
    return package in _pending and package not in _running and own_name not in _pending[package].submodules


class StandIn:
    """A class or function of a pending module that passes calls, attributes and subclassing to the real one."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name
        self._kept: Any = None
        self.__name__ = self.__qualname__ = name

    def _real(self) -> Any:  # noqa: ANN401
        if self._kept is None:
            real = getattr(load(self._module), self._name)
            if self._module in _pending:  # its code runs, in this thread
                return real
            self._kept = real
        return self._kept

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return self._real()(*args, **kwargs)

    _is_coroutine = None  # asyncio's marker, which a signal reads on every receiver

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name in ("__annotations__", "__code__", "__defaults__", "__func__", "__kwdefaults__", "__self__"):
            # inspect and signals tell Python functions and bound methods by these; a stand-in is neither.
            raise AttributeError(name)
        if name == "view_class":  # by which reverse() tells views that are classes
            raise AttributeError(name)
        return getattr(self._real(), name)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type]:
        return (self._real(),)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._real())

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._real())


# The import system reads and writes these before the code runs.
_IMPORT_ATTRIBUTES = {"__name__", "__spec__", "__loader__", "__package__", "__path__", "__file__", "__cached__"}


class _LazyModule(ModuleType):
    """A module whose code has not finished; afterwards its class is ModuleType."""

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401
        get = super().__getattribute__
        if name in _IMPORT_ATTRIBUTES or name == "__class__":
            return get(name)
        module = get("__name__")
        if _running.get(module) == threading.get_ident():
            return get(name)  # from the module's own code, or from a module that it imports
        if module not in _lazy_modules:
            deferred = _pending[module]
            if name in deferred.values:
                return deferred.values[name]
            if name in deferred.exports:
                return getattr(import_module(f"{module}.{deferred.exports[name]}"), name)
            if name in deferred.submodules:
                return import_module(f"{module}.{name}")
            if name in deferred.stand_ins:
                return StandIn(module, name)
        load(module)
        return get(name)

    def __setattr__(self, name: str, value: object) -> None:
        # The import system sets submodules. Other values would be overwritten by the code, so it runs first.
        if name not in _IMPORT_ATTRIBUTES and not isinstance(value, ModuleType):
            module = self.__name__
            if _running.get(module) != threading.get_ident():
                load(module)
        ModuleType.__setattr__(self, name, value)  # super() fails once the class is ModuleType


class _Finder:
    """The first finder of sys.meta_path. It finds pending modules only, by means of the finders after it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        package = name.rpartition(".")[0]
        # A listed module needs its package's code only when its own code runs, for which load() sees to it.
        if name not in _pending and _needs_package(name):
            load(package)
            # The package's code may have imported the module. The import system, which holds the module's lock, would
            # run its code again by its spec, unless the module comes from a loader of its own.
            existing = sys.modules.pop(name, None)
            if existing is not None:
                return ModuleSpec(name, _Existing(existing))
        if name not in _pending:
            return None
        finders = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in finders)), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _LazyLoader(spec.loader, _lazy_modules.get(name))
        return spec


class _LazyLoader(Loader):
    """Creates a module without running its code at its import, and runs the code in that module at its first use."""

    def __init__(self, loader: Loader, module: _LazyModule | None) -> None:
        self.loader, self.module = loader, module

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _LazyModule(spec.name) if self.module is None else self.module

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        module.__loader__ = self.loader  # as Python itself sets it
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        if self.module is None:
            return
        _running[name] = threading.get_ident()
        try:
            self.loader.exec_module(module)
            module.__class__ = ModuleType
            del _pending[name], _lazy_modules[name]
        finally:  # after an error the next use tries again
            del _running[name]


class _Existing(Loader):
    """Returns a module that has been imported, and undoes what the import system writes on it."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec
