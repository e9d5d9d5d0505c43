"""At 50,000 submissions MariaDB reads every large table by an index, on every page for staff."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from survey.demo.many_submissions import TABLES
from tests.support.query_plans import FILTERED, HEAD_OFFICE, MANAGER

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


def test_of_many_branches_the_submissions_are_read_by_date(plans):
    of_many = [query for query in plans if query.get("is_of_many")]
    keys = {step["key"] for query in of_many for step in query["plan"] if step["table"] == "survey_response"}
    assert "response_period" in keys
    assert not {key for key in keys if key and key.startswith("response_branch")}


def test_of_many_branches_those_to_list_in_one_language_are_ranked_within_an_index(plans):
    keys = {
        (step["key"], step["Extra"].startswith("Using where; Using index"))
        for query in plans
        if query.get("is_of_many") and query["page"] == FILTERED and "group_key" in query["sql"]
        for step in query["plan"]
        if step["table"] == "survey_dailyrollup"
    }
    assert ("rollup_language_scores", True) in keys
