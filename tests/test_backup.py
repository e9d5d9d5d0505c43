"""The commands of docs/maintain.md that back the database up and restore it, as they stand there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.mariadb import PrivateServer, Server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SUBMISSIONS = 50
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


def commands(first: str) -> str:
    """Return the indented block of docs/maintain.md that begins with the given text."""
    document = (ROOT / "docs" / "maintain.md").read_text(encoding="utf-8")
    (block,) = (block for block in document.split("\n\n") if block.lstrip().startswith(first))
    assert block.startswith("    ")
    return dedent(block)


DUMP = commands("dump() {")
RESTORE = DUMP.partition("dump survey")[0] + commands("gunzip")


@pytest.fixture
def server(private_mariadb: PrivateServer) -> Server:
    """Return a server whose database `survey` has the demo's submissions and an emoji."""
    if not (shutil.which("mysqldump") and shutil.which("mysql")):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no mysqldump: install Debian's mariadb-client")
    server = private_mariadb.server
    server.execute("CREATE DATABASE survey CHARACTER SET utf8mb4")
    environment = {**os.environ, **server.environment(), "DEBUG": "1"}
    for command in (["migrate"], ["seed_demo", "--submissions", str(SUBMISSIONS)]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True)
    server.execute("UPDATE survey.survey_response SET comment = '好吃😀\\n' ORDER BY id LIMIT 1")
    return server


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Shell:
    """Run commands in a folder with a `backup.cnf`."""
    values = f'host={server.host}\nport={server.port}\nuser={server.user}\npassword="{server.password}"\n'
    (tmp_path / "backup.cnf").write_text(f"[client]\n{values}")

    def run(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", script], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    return run


def test_a_restored_backup_equals_the_database(server: Server, shell: Shell, tmp_path: Path) -> None:
    dumped = shell(DUMP)
    assert dumped.returncode == 0, dumped.stderr
    assert {file.name for file in tmp_path.iterdir()} == {"backup.cnf", "survey.sql.gz"}
    restored = shell(RESTORE)
    assert restored.returncode == 0, restored.stderr
    for question in ("SELECT * FROM {}.survey_response ORDER BY id", "SELECT COUNT(*) FROM {}.survey_responseterm"):
        rows = server.execute(question.format("survey"))
        assert rows
        assert server.execute(question.format("survey_restored")) == rows
    assert len(server.execute("SELECT id FROM survey_restored.survey_response")) == SUBMISSIONS
    again = shell(RESTORE)
    assert again.returncode != 0  # never into a database that exists
    assert "survey_restored" in again.stderr


def test_a_backup_that_fails_leaves_no_archive(server: Server, shell: Shell, tmp_path: Path) -> None:
    server.execute(
        "CREATE TABLE survey.short (id INT)",
        "CREATE VIEW survey.broken AS SELECT id FROM survey.short",
        "DROP TABLE survey.short",
    )
    dumped = shell(DUMP)
    assert dumped.returncode != 0
    assert "broken" in dumped.stderr
    assert not (tmp_path / "survey.sql.gz").exists()


def test_a_damaged_archive_or_dump_is_not_restored(server: Server, shell: Shell, tmp_path: Path) -> None:
    assert shell(DUMP).returncode == 0
    archive = tmp_path / "survey.sql.gz"
    archive.write_bytes(archive.read_bytes()[:-1_000])
    assert shell(RESTORE).returncode != 0
    assert not server.execute("SHOW DATABASES LIKE 'survey\\_restored'")
