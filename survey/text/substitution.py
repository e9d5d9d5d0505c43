"""Imports jieba without the tables it loads at import: the one place that puts something in jieba's place.

Plain `import jieba.analyse` takes about 1.7 s of CPU and 190 MB, nearly all of it for Python dicts that are filled at
import. What is put in their place, and why:

=====================================  ====================================================================
in jieba                               here
=====================================  ====================================================================
`pkg_resources`                        hidden while jieba is imported: jieba opens its files through it and falls
                                       back to `open`; importing it costs more than Django
`finalseg.prob_*`, `posseg.prob_*`,    empty tables while jieba is imported; the probabilities come from the
`posseg.char_state_tab`                lexicon, character by character
`finalseg.viterbi`, `posseg.viterbi`   the same decoding over the lexicon's tables (segmenter.py, tagger.py)
`jieba.dt`, `posseg.dt` and the        our subclasses, so that `TFIDF` and `TextRank`, which take them, and any
functions bound to them                other code in this process answer from the same tables
`analyse.tfidf.IDFLoader`              a loader that answers jieba's own IDF table from the lexicon; in place before
                                       `jieba.analyse` is imported, since that makes a `TFIDF` at once
=====================================  ====================================================================
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

FINALSEG_TABLES = ("prob_start", "prob_trans", "prob_emit")
POSSEG_TABLES = (*FINALSEG_TABLES, "char_state_tab")


@contextmanager
def stand_ins(modules: dict[str, ModuleType | None]) -> Iterator[None]:
    """Let imports find these modules (None: not found at all), unless they are loaded already; then forget them."""
    missing = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(missing)  # type: ignore[arg-type]
    try:
        with warnings.catch_warnings():
            # jieba's source has escapes such as "\." in plain strings, which newer Pythons warn of when compiling.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", SyntaxWarning)
            yield
    finally:
        for name in missing:
            del sys.modules[name]


def empty_tables(package: str, names: tuple[str, ...]) -> dict[str, ModuleType | None]:
    """Modules in the place of jieba's generated ones, each with an empty table `P`."""
    modules: dict[str, ModuleType | None] = {}
    for name in names:
        module = ModuleType(f"{package}.{name}")
        module.P = {}  # type: ignore[attr-defined]
        modules[module.__name__] = module
    return modules


def import_jieba() -> Any:
    """The package `jieba`, which loads nothing but code."""
    with stand_ins({"pkg_resources": None, **empty_tables("jieba.finalseg", FINALSEG_TABLES)}):
        return importlib.import_module("jieba")


def import_posseg() -> Any:
    """`jieba.posseg`, which reads the dictionary of `jieba.dt` at import: that must be ours by now."""
    with stand_ins(empty_tables("jieba.posseg", POSSEG_TABLES)):
        return importlib.import_module("jieba.posseg")


def import_analyse(idf_loader: Any) -> Any:
    """`jieba.analyse` with `idf_loader(stock_class)` in the place of its IDFLoader; needs `import_posseg` before."""
    package = ModuleType("jieba.analyse")
    package.__path__ = [str(Path(sys.modules["jieba"].__path__[0], "analyse"))]
    with stand_ins({"jieba.analyse": package}):
        tfidf: Any = importlib.import_module("jieba.analyse.tfidf")
        tfidf.IDFLoader = idf_loader(tfidf.IDFLoader)
    with stand_ins({}):
        return importlib.import_module("jieba.analyse")


def rebind(module: Any, default: Any) -> None:
    """Make `default` the module's `dt`, and point the functions that were bound to the former `dt` at it."""
    former = module.dt
    for name, value in list(vars(module).items()):
        if getattr(value, "__self__", None) is former:
            setattr(module, name, getattr(default, name))
    module.dt = default
