"""Let one thread import at a time, where several serve requests.

A deferred module runs its code in the middle of whatever uses it first, perhaps of another module's import. Python
locks each module by itself, so two threads that import modules of one cycle from its two ends wait for each other for
ever; its own detection of that (bpo-38091) covers neither the modules that deferred_imports.py takes out of
sys.modules for the moment of their import nor all orders of the locks on Python 3.10. One lock, taken before any of
those, leaves no order to get wrong. A tenth of a core imports no faster with more threads.
"""

from __future__ import annotations

import builtins
import importlib
import threading
from types import ModuleType
from typing import Any

turn = threading.RLock()
_import_statement = builtins.__import__
_import_module = importlib.import_module


def install() -> None:
    """Make `import` and `importlib.import_module` wait for their turn, in modules that are imported from now on."""
    builtins.__import__ = _statement_in_turn
    importlib.import_module = _module_in_turn


def _statement_in_turn(*arguments: Any, **named: Any) -> ModuleType:  # noqa: ANN401  (those of the statement)
    with turn:
        return _import_statement(*arguments, **named)


def _module_in_turn(name: str, package: str | None = None) -> ModuleType:
    with turn:
        return _import_module(name, package)
