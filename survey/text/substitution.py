"""Import jieba without the tables that it loads at import. Every replacement in jieba at import is made here.

Plain `import jieba.analyse` takes about 1.7 s of CPU and 190 MB, nearly all of it for Python dicts.

=====================================  ====================================================================
in jieba                               replaced by
=====================================  ====================================================================
`pkg_resources`                        nothing: it takes longer to import than Django, and without it jieba opens
                                       its files with `open`
`finalseg.prob_*`, `posseg.prob_*`,    empty tables during the import; the lexicon has the probabilities, by
`posseg.char_state_tab`                character
`finalseg.viterbi`, `posseg.viterbi`   the same decoding over the lexicon (segmenter.py, tagger.py)
`jieba.dt`, `posseg.dt` and the        subclasses over the lexicon, also for `TFIDF`, `TextRank` and any other code
functions bound to them                of the process that uses jieba
`analyse.tfidf.IDFLoader`              a loader over the lexicon, set before `jieba.analyse` is imported, which
                                       creates a `TFIDF` at once
=====================================  ====================================================================
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MethodType, ModuleType
from typing import Any

FINALSEG_TABLES = ("prob_start", "prob_trans", "prob_emit")
POSSEG_TABLES = (*FINALSEG_TABLES, "char_state_tab")


@contextmanager
def stand_ins(modules: dict[str, ModuleType | None]) -> Iterator[None]:
    """Make imports find these modules (None: no module), except those loaded before; remove them afterwards."""
    missing = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(missing)  # type: ignore[arg-type]
    try:
        with warnings.catch_warnings():
            # Newer Pythons warn of the invalid escapes in jieba's source, such as "\.", when they compile it.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", SyntaxWarning)
            yield
    finally:
        for name in missing:
            del sys.modules[name]


def empty_tables(package: str, names: tuple[str, ...]) -> dict[str, ModuleType | None]:
    """Return stand-ins for jieba's generated modules, each with an empty table `P`."""
    modules: dict[str, ModuleType | None] = {}
    for name in names:
        module = ModuleType(f"{package}.{name}")
        module.P = {}  # type: ignore[attr-defined]
        modules[module.__name__] = module
    return modules


def import_jieba() -> Any:
    """Return the package `jieba`, imported without tables."""
    with stand_ins({"pkg_resources": None, **empty_tables("jieba.finalseg", FINALSEG_TABLES)}):
        return importlib.import_module("jieba")


def import_posseg() -> Any:
    """Return `jieba.posseg`, which reads the dictionary of `jieba.dt` at import: rebind `jieba` first."""
    with stand_ins(empty_tables("jieba.posseg", POSSEG_TABLES)):
        return importlib.import_module("jieba.posseg")


def import_analyse(idf_loader: Any) -> Any:
    """Return `jieba.analyse` with `idf_loader(stock_class)` as its IDFLoader. Call `import_posseg` first."""
    package = ModuleType("jieba.analyse")
    package.__path__ = [str(Path(sys.modules["jieba"].__path__[0], "analyse"))]
    with stand_ins({"jieba.analyse": package}):
        tfidf: Any = importlib.import_module("jieba.analyse.tfidf")
        tfidf.IDFLoader = idf_loader(tfidf.IDFLoader)
    with stand_ins({}):
        return importlib.import_module("jieba.analyse")


def rebind(module: Any, default: Any) -> None:
    """Set the module's `dt` to `default`, and rebind the module's functions from the former `dt` to it."""
    former = module.dt
    for name, value in list(vars(module).items()):
        if isinstance(value, MethodType) and value.__self__ is former:
            setattr(module, name, getattr(default, name))
    module.dt = default
