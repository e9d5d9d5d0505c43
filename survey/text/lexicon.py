"""Find the lexicon's file, and build it where there is none.

A file that ships in jieba's own folder, as in the layer, is used as it is. Elsewhere the first use builds one into a
cache folder; a damaged file, or one of another jieba, is rebuilt there.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from pathlib import Path

from mydjango.operations import environment
from survey.text.lexicon_reader import Lexicon, Stale, open_lexicon
from survey.text.tables import DamagedFile

logger = logging.getLogger(__name__)

FILE_NAME = "jieba.lexicon"
SHIPPED_FOLDER = Path(str(find_spec("jieba").origin)).parent  # type: ignore[union-attr]  # where `package` puts it


class LexiconError(Exception):
    """The lexicon cannot be used; the message has the reason and the remedy."""


class NotBuilt(LexiconError):
    """A lexicon is missing, and `without_building` forbids to build one."""


_may_build: ContextVar[bool] = ContextVar("may_build", default=True)


@contextmanager
def without_building() -> Iterator[None]:
    """Raise NotBuilt instead of building a lexicon, which takes seconds and more memory than a small function has."""
    token = _may_build.set(False)
    try:
        yield
    finally:
        _may_build.reset(token)


def load() -> Lexicon:
    """Return the lexicon of the installed jieba, built first where needed. Raises LexiconError."""
    path = folder() / FILE_NAME
    if path.parent != SHIPPED_FOLDER:
        return open_or_build(path)
    try:
        return open_lexicon(path)
    except (DamagedFile, Stale) as error:
        # Not rebuilt: the package is at fault, and a small function has too little memory to build a lexicon.
        raise LexiconError(f"{error}. Remove it, or rebuild it: manage.py build_lexicon {SHIPPED_FOLDER}") from error


def folder() -> Path:
    """Return LEXICON_DIR, else the folder of a shipped file, else the user's cache folder."""
    chosen = environment.text("LEXICON_DIR")
    if chosen:
        return Path(chosen)
    return SHIPPED_FOLDER if (SHIPPED_FOLDER / FILE_NAME).exists() else cache_folder()


def open_or_build(path: Path) -> Lexicon:
    """Return the lexicon at `path`; build it if it is missing, damaged or of another jieba. Raises LexiconError."""
    try:
        lexicon = open_lexicon(path)
        lexicon.file.check()
    except (OSError, DamagedFile, Stale) as error:
        if not _may_build.get():
            raise NotBuilt(str(error)) from error
        if isinstance(error, OSError):
            logger.info("lexicon.building", extra={"path": str(path), "reason": str(error)})
        else:
            logger.warning("lexicon.rebuilding", extra={"path": str(path), "reason": str(error)})
    else:
        return lexicon
    from survey.text.build import build

    try:
        build(path)
    except OSError as error:
        raise LexiconError(f"{path} cannot be written: {error}. Set LEXICON_DIR to a writable folder.") from error
    return open_lexicon(path)


def cache_folder() -> Path:
    """Return the user's cache folder, or a private temporary one where that is read-only, as in a function."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = home / "survey-serverless"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    return folder if writable else temporary_folder()


def temporary_folder() -> Path:
    """Return a folder of this user alone in the temporary folder. Raises LexiconError if somebody else owns it."""
    user = os.getuid() if hasattr(os, "getuid") else 0  # Windows: 0, as is st_uid there
    folder = Path(tempfile.gettempdir()) / f"survey-serverless-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != user or not stat.S_ISDIR(status.st_mode):
        raise LexiconError(f"{folder} belongs to someone else: set LEXICON_DIR to a folder of your own.")
    return folder
