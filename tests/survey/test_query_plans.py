"""At 50,000 submissions MariaDB reads every large table by an index, on every page for staff."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from survey.demo.many_submissions import TABLES
from tests.support.query_plans import HEAD_OFFICE, MANAGER

pytestmark = pytest.mark.slow

# Rightly read whole: staff's decision or a timer deletes each row, so that few are ever there.
SMALL = {"survey_erasurerequest"}


@pytest.fixture(scope="module")
def plans(mariadb_environment):
    environment = {**os.environ, **mariadb_environment, "DJANGO_SETTINGS_MODULE": "mydjango.settings", "DEBUG": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.query_plans"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def reads_table(step: dict[str, str | None]) -> bool:
    """Whether a step reads a table, by name or alias: not the rows of another step, nor the one row of a key."""
    return step["table"] is not None and not step["table"].startswith("<") and step["type"] != "const"


def test_each_query_uses_an_index(plans):
    assert {plan["page"] for plan in plans} == {*HEAD_OFFICE, *MANAGER}
    wrong = [
        (query["page"], step, query["sql"])
        for query in plans
        for step in query["plan"]
        if reads_table(step) and step["key"] is None and step["table"] not in SMALL
    ]
    assert not wrong


def test_no_query_but_the_rollups_reads_more_than_a_quarter_of_the_submissions(plans):
    """The 365 days hold half of them, the admin all: there a LIMIT ends the scan, which EXPLAIN does not count."""
    wide = [
        (query["page"], step, query["sql"])
        for query in plans
        for step in query["plan"]
        if step["table"] in TABLES[:2]
        and int(str(step["rows"] or 0).split()[0]) > 12_500  # "625 (1%)" with a rowid filter
        and not (("days=365" in query["page"] or "/admin/" in query["page"]) and " LIMIT " in query["sql"])
    ]
    assert not wide
