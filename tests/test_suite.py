"""The suite itself: a part that is missing is a reason to skip for a newcomer, and a failure in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runner import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped in"), ("true", "1 error in")])
@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("tests/mydjango/test_mysql.py::test_a_session_is_as_the_project_needs_it", "install Debian's mariadb-server"),
        (
            "tests/browser/test_staff.py::test_error_pages_are_accessible_and_link_back",
            "install Debian's chromium",
        ),
    ],
)
def test_without_mariadb_or_browser(tmp_path: Path, test: str, reason: str, ci: str, outcome: str) -> None:
    environment = {**os.environ, "PATH": str(tmp_path), "CI": ci}
    for name in ("TEST_DATABASE", "TEST_MYSQL_HOST"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--exitfirst", test],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout
    assert reason in done.stdout
    assert (done.returncode != 0) == bool(ci)
