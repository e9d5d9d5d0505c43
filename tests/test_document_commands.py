"""The command lines of README and docs/ work as they stand, in a copy of this repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.test_documents import DOCUMENTS, ROOT

FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^(?: {4}.*\n)+", re.MULTILINE)
COMMENT = re.compile(r"(?:^|\s{2,})#.*")
SHELL = re.compile(
    r"(?:\$ )?(?:faaskit|python3?|\.venv/\S+|make|pip|cp|mkdir|sed|git|npm|scf|s|sam|aws|export|unset|\.|\.ci/run|dump"
    r"|gunzip|mysql|mysqldump|(?:VERSION|PYTHONPATH)=\S*)(?: |$|\()"
)
# What needs an account, the network or a long time; the name of a test says that it runs the command.
NOT_RUN = {
    r"pip install|-m venv|npm |git clone|pre-commit": "installs",
    r"^faaskit |^rm index\.py": "tests/faaskit/test_other_projects.py runs it in other projects",
    r"runserver|rungateway|faaskit serve|make (run|demo)": "serves until it is stopped",
    r"make test|pytest|\.ci/run|make bench": "the tests themselves, and the benchmarks",
    r"^(scf|s|sam|aws|export|unset) |manage\.py (logs|deploy(?!.*--dry-run))|--remote": "needs an account",
    r"^git |^VERSION=|^sed .*version": "makes a release",
    r"^\.venv/bin/python manage\.py (package|deploy)": "is a step of a release",
    r"package --python": "builds for a Python that not every machine has",
    r"^(dump|gunzip|mysql)": "tests/test_backup.py runs it",
    r"conformance .*mybridge": "tests/bridge/test_conformance.py runs it with a bridge that exists",
}


def shell_lines(document: Path) -> Iterator[str]:
    """Yield the commands of the document's blocks, continued lines joined, without comments and prompts."""
    text = document.read_text(encoding="utf-8")
    for block in [*FENCE.findall(text), *INDENTED.findall(re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))]:
        lines = dedent(block).replace("\\\n", " ").splitlines()
        lines = [COMMENT.sub("", line).removeprefix("$ ") for line in lines]
        if any(map(SHELL.match, lines[:2])):  # else a sample of output
            yield from (line for line in lines if SHELL.match(line))


def is_run(command: str) -> bool:
    return not any(re.search(pattern, command) for pattern in NOT_RUN)


def commands() -> list[tuple[str, str]]:
    """Return (document, command) for each command that runs here, once, in the documents' order."""
    readme = ROOT / "README.md"
    documents = [readme, *(document for document in DOCUMENTS if document.parent.name == "docs")]
    found = [(line, document.name) for document in documents for line in shell_lines(document) if is_run(line)]
    first = dict(reversed(found))  # a command that stands in several documents runs for the first of them
    return [(first[line], line) for line in dict.fromkeys(line for line, _document in found)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the repository's files as git has them, and the settings of a made-up account."""
    folder = tmp_path_factory.mktemp("documents") / "clone"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in files.decode().rstrip("\0").split("\0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    shutil.copy(folder / ".env.example", folder / ".env")  # the README's step before all others of a deployment
    return folder


def test_every_reason_not_to_run_a_command_is_needed() -> None:
    lines = [line for document in DOCUMENTS for line in shell_lines(document)]
    for pattern in NOT_RUN:
        assert any(re.search(pattern, line) for line in lines), pattern
    assert len(commands()) > 8


@pytest.mark.slow
@pytest.mark.parametrize(("document", "command"), commands())
def test_the_command_of_a_document_succeeds(copy: Path, document: str, command: str) -> None:
    values = {"SECRET_KEY": "x" * 50, "MYSQL_HOST": "10.0.0.2", "MYSQL_USER": "survey", "MYSQL_PASSWORD": "secret"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEST_")}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment["RES_OPTIONS"] = "timeout:1 attempts:1"  # resolv.conf(5): the documents' addresses do not exist
    if "deploy" in command:
        environment |= values | {"REGION": "ap-guangzhou"}
    ended = subprocess.run(["bash", "-c", command], cwd=copy, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, f"{document}: {command}\n{ended.stdout}{ended.stderr}"
