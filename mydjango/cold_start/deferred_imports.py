"""Modules that are imported when they are first used, not when another module names them.

A request of this project runs a fraction of what Django imports for it: asyncio, the debug page, class-based views, the
parser of SQL. `install` puts a finder before Python's own, which hands out the modules of a list without running their
code; the first look at one of their attributes runs it. Nothing is patched or copied: it is the same code, later, and a
module that something really uses costs what it always did. mydjango/cold_start/deferred_modules.py holds the list.

The standard library's importlib.util.LazyLoader is not used: it imports submodules of a package that it deferred twice,
and before Python 3.12 it is not safe with threads. Here the import system itself runs the code, once, under its locks.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple


class Deferred(NamedTuple):
    """What can be had of a module without running its code, and is no reason to run it."""

    submodules: Sequence[str] = ()  # to be imported alone
    exports: Mapping[str, str] = {}  # names that the package takes from a submodule: {name: submodule}
    stand_ins: Sequence[str] = ()  # classes and functions that are handed out as StandIn
    values: Mapping[str, object] = {}  # names whose value is known as long as nothing has run the code


_pending: dict[str, Deferred] = {}  # modules whose code has not run to its end
_lazy_modules: dict[str, _LazyModule] = {}  # ... those that something began to use
_running: dict[str, int] = {}  # ... those whose code runs: the thread that runs it
_guard = threading.Lock()  # never held while code runs


def install(modules: Mapping[str, Deferred]) -> None:
    """Defer these modules from now on; those that are imported already stay so."""
    _pending.update((name, deferred) for name, deferred in modules.items() if name not in sys.modules)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def is_pending(name: str) -> bool:
    """Whether a module of the list has not been needed yet."""
    return name in _pending


def load(name: str) -> ModuleType:
    """Run a pending module's code, unless another thread is doing so: then wait for it."""
    with _guard:
        module = sys.modules.get(name)
        if isinstance(module, _LazyModule) and name not in _lazy_modules:
            # The import system imports what is not in sys.modules, and gets the same module from _Finder again.
            _lazy_modules[name] = module
            del sys.modules[name]
    return import_module(name)


class StandIn:
    """A class or function of a pending module; whatever is done with it is done with the real one."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name
        self.__name__ = name

    def _real(self) -> Any:  # noqa: ANN401
        return getattr(load(self._module), self._name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return self._real()(*args, **kwargs)

    _is_coroutine = None  # asyncio's mark; a signal looks for it on every receiver

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name in ("__annotations__", "__code__", "__defaults__", "__func__", "__kwdefaults__", "__self__"):
            # By these inspect and signals ask whether this is a Python function or a bound method. It is neither.
            raise AttributeError(name)
        return getattr(self._real(), name)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type]:
        return (self._real(),)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._real())

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._real())


# What the import system reads and writes on a module before its code has run.
_IMPORT_ATTRIBUTES = {"__name__", "__spec__", "__loader__", "__package__", "__path__", "__file__", "__cached__"}


class _LazyModule(ModuleType):
    """A module whose code has not run to its end; then it becomes an ordinary one."""

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401
        get = super().__getattribute__
        if name in _IMPORT_ATTRIBUTES or name == "__class__":
            return get(name)
        module = get("__name__")
        if _running.get(module) == threading.get_ident():
            return get(name)  # asked by the module's own code, or by a module that it imports
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
        # The import system sets submodules. Anything else would be overwritten when the code runs: let it run first.
        if name not in _IMPORT_ATTRIBUTES and not isinstance(value, ModuleType):
            module = self.__name__
            if _running.get(module) != threading.get_ident():
                load(module)
        ModuleType.__setattr__(self, name, value)  # super() would ask for a _LazyModule, which this may be no more


class _Finder:
    """Comes before Python's own finders in sys.meta_path."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """What the next finders say of a pending module, with a loader that postpones; None for every other module."""
        package, _, own_name = name.rpartition(".")
        if package in _pending and package not in _running and own_name not in _pending[package].submodules:
            load(package)
            # The package's code may have imported it. It comes back through its loader: were it still there, the import
            # system, which holds its lock, would take its spec and run its code once more.
            existing = sys.modules.pop(name, None)
            if existing is not None:
                return ModuleSpec(name, _Existing(existing))
        if name not in _pending:
            return None
        finders = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in finders)), None)
        if spec is not None and spec.loader is not None:
            begun = _lazy_modules.get(name)
            spec.loader = _Run(spec.loader, begun) if begun is not None else _Postpone(spec.loader)
        return spec


class _Postpone(Loader):
    """Makes the module and leaves its code."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module that knows nothing but where it came from."""
        return _LazyModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Put the real loader in its place."""
        give_loader(module, self.loader)


class _Run(_Postpone):
    """Runs the code in the module that was handed out."""

    def __init__(self, loader: Loader, module: _LazyModule) -> None:
        super().__init__(loader)
        self.module = module

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The same module as before."""
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        """Run the code; should it fail, the next use tries again."""
        name = module.__name__
        give_loader(module, self.loader)
        _running[name] = threading.get_ident()
        try:
            self.loader.exec_module(module)
            module.__class__ = ModuleType
            del _pending[name], _lazy_modules[name]
        finally:
            del _running[name]


class _Existing(Loader):
    """Gives a module that is there already."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module."""
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        """Take back what the import system wrote on it."""
        module.__spec__ = self.spec


def give_loader(module: ModuleType, loader: Loader) -> None:
    """Let module and spec name the loader that Python itself would have used."""
    module.__loader__ = loader
    if module.__spec__ is not None:
        module.__spec__.loader = loader
