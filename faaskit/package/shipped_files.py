"""The list of files that ship with the function and the layer, each exception with its reason.

Patterns are those of fnmatch on the path with a slash before it: `*` also matches slashes, and a pattern that begins
with a slash is bound to the root of the function or the layer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

LANGUAGES = ("en", "zh_Hans")

# The function ships these of the project and nothing else, so that .env, .git or an editor's folder cannot slip in.
FUNCTION = ("index.py", "manage.py", "mydjango", "survey")

LEFT_OUT = {
    "*/__pycache__/*": "bytecode of another Python",
    "*.pyc": "bytecode of another Python",
    "*/tests/*": "tests",
    "*.po": "sources of translations",
}
FUNCTION_LEFT_OUT = {
    **LEFT_OUT,
    "*/.*": "hidden files: secrets, editors' folders",
    "*/test_*.py": "tests",
    "/mydjango/management/commands/dev.py": "the development server",
    "/mydjango/management/commands/runserver.py": "the development server",
    "*/static/*": "collected into staticfiles/",
    "/survey/text/data/*": "the lexicon lies in the layer, beside jieba",
    "*.sqlite3*": "databases",
}
# Management commands that name this package are left out as well: it never ships.
DEVELOPMENT_SIDE = "faaskit"

# Apps of django.contrib that the project does not use.
UNUSED_APPS = ("admindocs", "flatpages", "gis", "humanize", "postgres", "redirects", "sitemaps", "syndication")

# Packages that a wheel requires and does not use at run time.
NOT_NEEDED = {
    "setuptools": "marisa-trie requires it for its build",
    "cffi": "cryptography loads its extension module and nothing else of it",
    "pycparser": "cffi requires it to compile",
}

LAYER_LEFT_OUT = {
    # Any package.
    **LEFT_OUT,
    "*/test/*": "tests",
    "*/tests.py": "tests",
    "*/testing.py": "tests",
    "*.pyi": "types",
    "*/py.typed": "types",
    **dict.fromkeys(("*.pyx", "*.pxd", "*.c", "*.cpp", "*.h"), "sources of extension modules"),
    "/*.dist-info/RECORD": "pip's list, wrong after leaving files out",
    "/*.dist-info/WHEEL": "pip's",
    "/*.dist-info/entry_points.txt": "commands",
    "/*.dist-info/top_level.txt": "setuptools'",
    "/*.dist-info/sboms/*": "build records",
    "/cffi/*": NOT_NEEDED["cffi"],
    # Django.
    **{f"/django/contrib/{app}/*": "unused app" for app in UNUSED_APPS},
    "/django/contrib/*/static/*": "collected into the function's staticfiles/",
    "/django/db/backends/oracle/*": "unused database",
    "/django/db/backends/postgresql/*": "unused database",
    "/django/conf/app_template/*": "startapp",
    "/django/conf/project_template/*": "startproject",
    "/django/core/management/commands/startapp.py": "makes source code",
    "/django/core/management/commands/startproject.py": "makes source code",
    "/django/core/management/commands/test.py": "tests",
    "/django/core/management/commands/testserver.py": "tests",
    # jieba: its tables are in the lexicon (survey/text/lexicon_reader.py), paddle's model is not used.
    "/jieba/dict.txt": "in the lexicon",
    "/jieba/analyse/idf.txt": "in the lexicon",
    "/jieba/finalseg/prob_*": "in the lexicon",
    "/jieba/posseg/prob_*": "in the lexicon",
    "/jieba/posseg/char_state_tab.*": "in the lexicon",
    "/jieba/lac_small/*": "a model that is not used",
}
# Of these folders only those of LANGUAGES ship.
LANGUAGE_FOLDER = re.compile(r"(?:^|/)locale/(?P<language>[a-z]{2,3}(?:_[A-Za-z]+)*)/")


def is_left_out(path: PurePosixPath, patterns: Iterable[str]) -> bool:
    """Return whether a file stays behind; `path` is the one inside the function or the layer."""
    language = LANGUAGE_FOLDER.search(path.as_posix())
    if language and language["language"] not in LANGUAGES:
        return True
    return any(fnmatchcase(f"/{path.as_posix()}", pattern) for pattern in patterns)


def function_files(project: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """Yield (path in the function, file) for each file of the project that ships."""
    for name in FUNCTION:
        top = project / name
        for file in [top] if top.is_file() else sorted(top.rglob("*")):
            path = PurePosixPath(file.relative_to(project).as_posix())
            if file.is_file() and not is_left_out(path, FUNCTION_LEFT_OUT) and not _needs_development_side(path, file):
                yield path, file


def _needs_development_side(path: PurePosixPath, file: Path) -> bool:
    return path.match("management/commands/*.py") and DEVELOPMENT_SIDE in file.read_text(encoding="utf-8")


def drop_unhashed(static: Path) -> None:
    """Remove collected files that have a copy with a hash in its name: pages link to the copy."""
    manifest = json.loads((static / "staticfiles.json").read_text(encoding="utf-8"))
    for plain, hashed in manifest["paths"].items():
        if plain != hashed:
            (static / plain).unlink(missing_ok=True)
    for folder in sorted(static.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
