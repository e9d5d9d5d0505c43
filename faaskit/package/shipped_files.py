"""What ships and what stays behind: the one place that says so.

Patterns are those of PurePosixPath.match, here also with `**` for any number of folders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

LANGUAGES = ("en", "zh_Hans")

# The function: these of the project, and nothing else, so that .env, .git or an editor's folder cannot slip in.
FUNCTION = ("index.py", "manage.py", "mydjango", "survey")

FUNCTION_LEFT_OUT = {
    "**/.*": "hidden files: secrets, editors' folders",
    "**/__pycache__/**": "this machine's byte code",
    "**/*.pyc": "this machine's byte code",
    "**/tests/**": "tests",
    "**/test_*.py": "tests",
    "faaskit/**": "development side",
    "mydjango/management/commands/dev.py": "the development server",
    "**/static/**": "collected into staticfiles/",
    "**/*.po": "sources of translations",
    "survey/text/data/**": "the lexicon lies in the layer, beside jieba",
    "**/*.sqlite3*": "databases",
}
# Commands that import this are left out as well.
DEVELOPMENT_SIDE = "faaskit"

# Packages that a wheel names as its requirement and does not need at run time.
NOT_NEEDED = {
    "setuptools": "marisa-trie names it, for its build",
    "cffi": "only its extension module is used, which cryptography loads",
    "pycparser": "cffi's, for compiling",
}

LAYER_LEFT_OUT = {
    # Any package.
    "**/__pycache__/**": "other Pythons' byte code",
    "**/*.pyc": "other Pythons' byte code",
    "**/tests/**": "tests",
    "**/test/**": "tests",
    "**/tests.py": "tests",
    "**/testing.py": "tests",
    "**/*.pyi": "types",
    "**/py.typed": "types",
    "**/*.pyx": "sources of extension modules",
    "**/*.pxd": "sources of extension modules",
    "**/*.c": "sources of extension modules",
    "**/*.cpp": "sources of extension modules",
    "**/*.h": "sources of extension modules",
    "**/*.po": "sources of translations",
    "*.dist-info/RECORD": "pip's list, wrong after leaving files out",
    "*.dist-info/WHEEL": "pip's",
    "*.dist-info/entry_points.txt": "commands",
    "*.dist-info/top_level.txt": "setuptools'",
    "*.dist-info/sboms/**": "build records",
    "cffi/**": NOT_NEEDED["cffi"],
    # Django.
    "django/contrib/admindocs/**": "unused app",
    "django/contrib/flatpages/**": "unused app",
    "django/contrib/gis/**": "unused app",
    "django/contrib/humanize/**": "unused app",
    "django/contrib/postgres/**": "unused app",
    "django/contrib/redirects/**": "unused app",
    "django/contrib/sitemaps/**": "unused app",
    "django/contrib/syndication/**": "unused app",
    "django/contrib/*/static/**": "collected into the function's staticfiles/",
    "django/db/backends/oracle/**": "unused database",
    "django/db/backends/postgresql/**": "unused database",
    "django/conf/app_template/**": "startapp",
    "django/conf/project_template/**": "startproject",
    "django/core/management/commands/startapp.py": "makes source code",
    "django/core/management/commands/startproject.py": "makes source code",
    "django/core/management/commands/test.py": "tests",
    "django/core/management/commands/testserver.py": "tests",
    # jieba: its tables are in the lexicon (survey/text/lexicon_reader.py), paddle's model is not used.
    "jieba/dict.txt": "in the lexicon",
    "jieba/analyse/idf.txt": "in the lexicon",
    "jieba/finalseg/prob_*": "in the lexicon",
    "jieba/posseg/prob_*": "in the lexicon",
    "jieba/posseg/char_state_tab.*": "in the lexicon",
    "jieba/lac_small/**": "a model that is not used",
}
# Files of these names that belong to a language: those of other languages than LANGUAGES are left out.
LANGUAGE_FOLDER = re.compile(r"(?:^|/)locale/(?P<language>[a-z]{2,3}(?:_[A-Za-z]+)*)/")


def is_left_out(path: PurePosixPath, patterns: tuple[str, ...]) -> bool:
    """Whether a file stays behind, by its path inside the function or the layer."""
    name = path.as_posix()
    language = LANGUAGE_FOLDER.search(name)
    if language and language["language"] not in LANGUAGES:
        return True
    return any(_regex(pattern).fullmatch(name) for pattern in patterns)


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    """`*` within a name, `**/` and `/**` any folders; a pattern without folders names a file at the root."""
    parts = {"**/": r"(?:.*/)?", "/**": r"(?:/.*)", "*": r"[^/]*"}
    escaped = "".join(parts.get(part, re.escape(part)) for part in re.split(r"(\*\*/|/\*\*$|\*)", pattern))
    return re.compile(escaped + ("(?:/.*)?" if pattern == "**/.*" else ""))


def function_files(project: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """(path in the function, file) of what ships of the project."""
    patterns = tuple(FUNCTION_LEFT_OUT)
    for name in FUNCTION:
        top = project / name
        for file in [top] if top.is_file() else sorted(top.rglob("*")):
            path = PurePosixPath(file.relative_to(project).as_posix())
            if file.is_file() and not is_left_out(path, patterns) and not _needs_development_side(path, file):
                yield path, file


def _needs_development_side(path: PurePosixPath, file: Path) -> bool:
    return path.match("management/commands/*.py") and DEVELOPMENT_SIDE in file.read_text(encoding="utf-8")


def drop_unhashed(static: Path) -> None:
    """Remove collected files that have a twin with a hash in its name: pages link to the twin."""
    manifest = json.loads((static / "staticfiles.json").read_text(encoding="utf-8"))
    for plain, hashed in manifest["paths"].items():
        if plain != hashed:
            (static / plain).unlink(missing_ok=True)
    for folder in sorted(static.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
