"""`manage.py test`: hand Django's options to pytest, which runs the suite.

The start of it is the runner in pytest-django's documentation:
https://pytest-django.readthedocs.io/en/latest/faq.html#how-can-i-use-manage-py-test-with-pytest-django
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]


class PytestRunner:
    """A TEST_RUNNER that runs pytest.

    Takes the options of `manage.py test`. `--noinput` changes nothing, since pytest never asks.
    """

    def __init__(
        self,
        *,
        verbosity: int = 1,
        failfast: bool = False,
        keepdb: bool = False,
        parallel: int = 0,
        test_name_patterns: Iterable[str] | None = None,
        **_others: Any,
    ) -> None:
        self.options: list[str] = []
        if verbosity == 0:
            self.options.append("--quiet")
        self.options += ["--verbose"] * (verbosity - 1)
        if failfast:
            self.options.append("--exitfirst")
        if keepdb:
            self.options.append("--reuse-db")
        if parallel:
            self.options += ["--numprocesses", str(parallel), "--dist", "loadfile"]
        if test_name_patterns:
            self.options += ["-k", " or ".join(test_name_patterns)]

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Add the options of Django's own runner that pytest has a counterpart for."""
        parser.add_argument("--failfast", action="store_true", help="Stop after the first failure.")
        parser.add_argument(
            "--keepdb",
            action="store_true",
            help="Keep the test database on the server that TEST_MYSQL_HOST names. Any other one is temporary.",
        )
        parser.add_argument(
            "--parallel",
            nargs="?",
            const="auto",
            default=0,
            metavar="N",
            help="Run the tests in N processes, or in one a core.",
        )
        parser.add_argument(
            "-k",
            action="append",
            dest="test_name_patterns",
            metavar="EXPRESSION",
            help="Run only tests whose names match pytest's expression. Several are joined with 'or'.",
        )

    def run_tests(self, test_labels: Iterable[str]) -> int:
        """Run the tests that the labels name, or all; return the number of failures and errors.

        Where pytest ends without a verdict, because it found no tests or was interrupted, return its exit code.
        """
        with TemporaryDirectory() as folder:
            report = Path(folder, "report.xml")
            command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), f"--junitxml={report}"]
            # A process of its own: the plugins of pyproject.toml choose the database before settings are read.
            process = subprocess.Popen([*command, *self.options, *map(resolve_label, test_labels)], cwd=ROOT)
            while process.returncode is None:
                # Control-C reaches pytest too, which stops the servers that tests have started: wait for that.
                with suppress(KeyboardInterrupt):
                    process.wait()
            if process.returncode != pytest.ExitCode.TESTS_FAILED:
                return process.returncode
            suites = ElementTree.parse(report).iter("testsuite")
            return sum(int(suite.attrib["failures"]) + int(suite.attrib["errors"]) for suite in suites)


def resolve_label(label: str) -> str:
    """Return what pytest calls a label: `tests.test_forms.Case.test_one` is `tests/test_forms.py::Case::test_one`.

    A path stays a path, and so does a label that names nothing: pytest's message then quotes it.
    """
    file, separator, names = label.partition("::")
    if Path(file).exists():
        return str(Path(file).resolve()) + separator + names
    parts = label.split(".")
    for length in range(len(parts), 0, -1):
        module = ROOT.joinpath(*parts[:length])
        if module.is_dir() and length == len(parts):
            return str(module)
        if module.with_suffix(".py").is_file():
            return "::".join([str(module.with_suffix(".py")), *parts[length:]])
    return label
