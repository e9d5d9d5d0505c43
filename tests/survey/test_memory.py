"""The whole project works in the smallest function: 64 MB without swap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faaskit.local import memory_limit
from tests.support import small_function

pytestmark = pytest.mark.slow


MEGABYTES = 64


@pytest.fixture
def group() -> Iterator[memory_limit.Cgroup]:
    group = memory_limit.cgroup(MEGABYTES)
    if group is None:
        reason = "no memory cgroup can be made here: this needs Linux and root"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield group
    group.close()


@pytest.fixture
def environment(tmp_path: Path, mariadb_environment: dict[str, str]) -> dict[str, str]:
    return {
        **mariadb_environment,
        "DEBUG": "0",
        "SECRET_KEY": "a key for the smallest function, never used elsewhere",
        "PUBLIC_URL": "https://survey.example.com",
        "LEXICON_DIR": str(tmp_path),
        "PYTHONPYCACHEPREFIX": str(tmp_path / "pycache"),
        "PYTHONDONTWRITEBYTECODE": "",
    }


def test_survey_admin_and_analysis_work_in_64_mb(group: memory_limit.Cgroup, environment: dict[str, str]) -> None:
    small_function.prepare(environment)
    result = small_function.run(environment, group)
    assert result.returncode == 0, f"status {result.returncode}, killed: {group.exceeded()}\n{result.stderr}"
    assert not group.exceeded()
    # The group is not charged for pages of files that another process has read, but the system can drop those.
    assert json.loads(result.stdout)["own MB"] < MEGABYTES - 8


def test_the_limit_is_real(group: memory_limit.Cgroup) -> None:
    code = f"held = b'x' * {(MEGABYTES + 8) * 1024 * 1024}"
    assert subprocess.run(group.command([sys.executable, "-c", code])).returncode == -9
    assert group.exceeded()
