"""`manage.py test` runs the suite: its labels and options reach pytest, and its exit code is the suite's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runner import ROOT, PytestRunner, resolve_label

pytestmark = pytest.mark.slow

FAILING = """
import pytest

def test_right():
    pass

def test_wrong():
    assert False

@pytest.fixture
def broken():
    raise RuntimeError

def test_error(broken):
    pass
"""


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """A module of one test that passes, one that fails and one with an error."""
    module = tmp_path / "test_failing.py"
    module.write_text(FAILING, encoding="utf-8")
    return module


@pytest.fixture(autouse=True)
def sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the suites that the tests start use SQLite: on MariaDB they would take the running suite's database."""
    monkeypatch.delenv("TEST_DATABASE", raising=False)


def manage_test(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "test", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_dotted_labels_and_paths_select_tests() -> None:
    labels = "tests.survey.test_metrics", "tests/mydjango/test_health.py"
    done = manage_test(*labels, "--noinput", "--keepdb", "-k", "nps", "-k", "healthz_is_ok", "--verbosity", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests/survey/test_metrics.py::test_nps_is" in done.stdout
    assert "tests/mydjango/test_health.py::test_" in done.stdout
    assert "csat" not in done.stdout


def test_failures_and_errors_are_counted(failing: Path) -> None:
    assert PytestRunner(verbosity=0).run_tests([str(failing)]) == 2


def test_failfast_stops_after_the_first_failure(failing: Path) -> None:
    assert PytestRunner(failfast=True).run_tests([str(failing)]) == 1


def test_parallel_runs_several_processes(failing: Path) -> None:
    done = manage_test(str(failing), "--parallel", "2")
    assert done.returncode == 1
    assert "2 workers" in done.stdout


def test_a_label_that_names_nothing_is_quoted() -> None:
    done = manage_test("tests.no_such_module")
    assert done.returncode != 0
    assert "tests.no_such_module" in done.stderr


@pytest.mark.parametrize(
    ("label", "path"),
    [
        ("tests", "tests"),
        ("tests.browser", "tests/browser"),
        ("tests.survey.test_metrics.test_nps", "tests/survey/test_metrics.py::test_nps"),
        ("tests.browser.test_guest.Case.test_one", "tests/browser/test_guest.py::Case::test_one"),
    ],
)
def test_a_dotted_label_is_the_path_that_pytest_takes(label: str, path: str) -> None:
    assert resolve_label(label) == str(ROOT / path)


def test_without_the_development_packages_it_is_one_sentence(tmp_path: Path) -> None:
    # None in sys.modules makes the import fail as it does where the package is missing.
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['pytest'] = None", encoding="utf-8")
    done = manage_test(PYTHONPATH=str(tmp_path))
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr == (
        "The package pytest is not installed here: the commands for development need "
        "'pip install -r requirements-dev.txt'.\n"
    )
