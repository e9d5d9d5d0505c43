"""A database of the release before migrates, and figures, search, mail, rights and erasure give what they gave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

EXPECTED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "release_before" / "expected.json").read_text(encoding="utf-8")
)


def migrated(environment: dict[str, str]) -> dict[str, Any]:
    """The results of today's code on the migrated database."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.survey.release_before.upgrade"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "mydjango.settings", "DEBUG": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def hold(results: dict[str, Any]) -> None:
    renamed = {name.replace("responseterm", "submissionterm").replace("chore", "jobrun") for name in RIGHTS}
    assert set(results.pop("group_permissions")) >= {name.replace("_response", "_submission") for name in renamed}
    assert results == {name: EXPECTED[name] for name in results}


RIGHTS = {
    name
    for name in EXPECTED["group_permissions"]
    # Models that counted logins and submissions until one window counter replaced both.
    if not name.endswith(("_loginwindow", "_submissioncount"))
}


def test_a_database_on_sqlite_loses_nothing(tmp_path: Path) -> None:
    hold(migrated({"SQLITE_PATH": str(tmp_path / "db.sqlite3")}))


def test_a_database_on_mariadb_loses_nothing(mariadb_environment: dict[str, str]) -> None:
    hold(migrated(mariadb_environment))
