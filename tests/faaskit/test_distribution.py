"""The wheel of faaskit installs what its verbs need and nothing of the tests, and names no project."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import uv

ROOT = Path(__file__).resolve().parents[2]
OWN_NAMES = re.compile(r"survey|mydjango|jieba|lexicon", re.IGNORECASE)


def test_faaskit_names_nothing_of_the_project_beside_it() -> None:
    files = [path for path in (ROOT / "faaskit").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert len(files) > 50
    named = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if OWN_NAMES.search(line)
    }
    assert not named


@pytest.mark.slow
def test_the_wheel_runs_in_an_environment_without_test_tools(tmp_path: Path) -> None:
    def run(*command: str | Path) -> str:
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("faaskit-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"faaskit/cli.py", "faaskit/py.typed", "faaskit/templates/index.py"} <= names
    assert not [name for name in names if not name.startswith(("faaskit/", "faaskit-"))]
    environment = tmp_path / "environment"
    python = environment / "bin" / "python"
    run(uv.find_uv_bin(), "venv", "--python", sys.executable, environment)
    run(uv.find_uv_bin(), "pip", "install", "--python", python, f"{wheel}[package]")
    assert "COMMAND" in run(environment / "bin" / "faaskit", "--help")
    assert "--platform" in run(environment / "bin" / "faaskit", "package", "--help")
    installed = run(uv.find_uv_bin(), "pip", "list", "--python", python)
    assert not re.search(r"^(pytest|django|playwright|hypothesis)\b", installed, re.MULTILINE | re.IGNORECASE)
