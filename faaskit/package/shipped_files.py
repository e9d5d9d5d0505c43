"""The list of files that ship with the function and the layer; a project adds its own patterns in its table.

Patterns are those of fnmatch on the path with a slash before it: `*` also matches slashes, and a pattern that begins
with a slash is bound to the root of the function or the layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from faaskit.project import Project

BYTECODE = ("*/__pycache__/*", "*.pyc")  # made anew for the target
FUNCTION = (
    *BYTECODE,
    "*/.*",  # hidden files: secrets, editors' folders
    "*/tests/*",
    "*/test_*.py",
    "*.sqlite*",  # databases
    "*.db",
)
# Of a project that names no files. Folders of tools and of local data, and what describes the deployment.
FUNCTION_WITHOUT_INCLUDE = (
    *FUNCTION,
    "/build/*",
    "/dist/*",
    "/deploy/*",
    "/instance/*",  # Flask's secrets and local data
    "*/node_modules/*",
    "*.egg-info/*",
    "/serverless.yml",
)
PACKAGES = (
    *BYTECODE,
    "*.po",
    "/.lock",  # uv's
    "/bin/*",  # commands
    "/share/man/*",
    "*.pyi",
    "*/py.typed",
    *("*.pyx", "*.pxd", "*.c", "*.cpp", "*.h"),  # sources of extension modules
    # What an installer writes for itself. RECORD is wrong after files are left out.
    *(f"/*.dist-info/{name}" for name in ("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json", "uv_*.json")),
    *(f"/*.dist-info/{name}" for name in ("top_level.txt", "sboms/*")),
)
# Management commands that name this package are left out as well: it never ships.
DEVELOPMENT_SIDE = "faaskit"
LANGUAGE_FOLDER = re.compile(r"(?:^|/)locale/(?P<language>[a-z]{2,3}(?:_[A-Za-z]+)*)/")


def is_left_out(path: PurePosixPath, patterns: Iterable[str], languages: Iterable[str]) -> bool:
    """Return whether a file stays behind; `path` is the one inside the function or the layer."""
    language = LANGUAGE_FOLDER.search(path.as_posix())
    if language and languages and language["language"] not in languages:
        return True
    return any(fnmatchcase(f"/{path.as_posix()}", pattern) for pattern in patterns)


def function_files(project: Project) -> Iterator[tuple[PurePosixPath, Path]]:
    """Yield (path in the function, file) for each file of the project that ships."""
    folder = project.folder
    tops = [folder / name for name in project.include] or sorted(folder.iterdir())
    patterns = (*(FUNCTION if project.include else FUNCTION_WITHOUT_INCLUDE), *project.exclude)
    for top in tops:
        if (top / "pyvenv.cfg").is_file():
            continue
        for file in [top] if top.is_file() else sorted(top.rglob("*")):
            path = PurePosixPath(file.relative_to(folder).as_posix())
            if (
                file.is_file()
                and not is_left_out(path, patterns, project.languages)
                and not _needs_development_side(path, file)
            ):
                yield path, file


def _needs_development_side(path: PurePosixPath, file: Path) -> bool:
    return path.match("management/commands/*.py") and DEVELOPMENT_SIDE in file.read_text(encoding="utf-8")
