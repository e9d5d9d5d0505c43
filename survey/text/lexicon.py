"""The lexicon's file: where it lies, and when it is built.

The file that ships beside jieba's code, in the layer, is used as it is. Elsewhere it is built on first use into a cache
folder, and built anew when it is damaged or was made from another jieba.
"""

from __future__ import annotations

import logging
import os
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
    """The lexicon cannot be used; the message says why and what to do."""


class NotBuilt(LexiconError):
    """A lexicon would have to be built, and must not be."""


_may_build: ContextVar[bool] = ContextVar("may_build", default=True)


@contextmanager
def without_building() -> Iterator[None]:
    """Within, NotBuilt where one would be built: that takes seconds, and more memory than a small function has."""
    token = _may_build.set(False)
    try:
        yield
    finally:
        _may_build.reset(token)


def load() -> Lexicon:
    """The lexicon of the installed jieba; built first where there is none that fits."""
    path = folder() / FILE_NAME
    if path.parent != SHIPPED_FOLDER:
        return open_or_build(path)
    try:
        return open_lexicon(path)
    except (DamagedFile, Stale) as error:
        # Not rebuilt: whoever packed it must know, and a small function has no memory to build it.
        raise LexiconError(f"{error}. Remove it, or make it anew: manage.py build_lexicon {SHIPPED_FOLDER}") from error


def folder() -> Path:
    """LEXICON_DIR, else the folder of the shipped file if there is one, else the user's cache folder."""
    chosen = environment.text("LEXICON_DIR")
    if chosen:
        return Path(chosen)
    return SHIPPED_FOLDER if (SHIPPED_FOLDER / FILE_NAME).exists() else cache_folder()


def open_or_build(path: Path) -> Lexicon:
    """The lexicon at `path`, made or made anew where there is none, a damaged one, or one of another jieba."""
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
        raise LexiconError(f"{path} cannot be written: {error}. Set LEXICON_DIR to a folder that can.") from error
    return open_lexicon(path)


def cache_folder() -> Path:
    """The user's cache folder; where that cannot be written, as in a function, a private temporary one."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = home / "survey-serverless"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    return folder if writable else temporary_folder()


def temporary_folder() -> Path:
    """A folder in the temporary folder that belongs to this user alone. Raises LexiconError if another has taken it."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"survey-serverless-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if hasattr(os, "getuid") and (status.st_uid != user or not folder.is_dir() or folder.is_symlink()):
        raise LexiconError(f"{folder} belongs to someone else: set LEXICON_DIR to a folder of your own.")
    return folder
