"""The statements and conditions of docs/maintain.md, on lines that the function really logs.

SQLite runs the SQL, with CLS's two functions that it lacks. Only an account can show that CLS reads them alike.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from faaskit import project
from tests.support.processes import ROOT, Function, environment, manage, submission

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENT = re.compile(r'^    ((?:\w+:"[^"]*"(?: AND )?)+) \| (SELECT .+)\n(?:    (\$1\..+)\n)?', re.MULTILINE)
FOUND = STATEMENT.findall((ROOT / "docs" / "maintain.md").read_text(encoding="utf-8"))
Line = dict[str, Any]
TYPES = {"text": str, "long": int, "double": (int, float)}


class CountIf:
    """CLS's count_if(condition)."""

    def __init__(self) -> None:
        self.count = 0

    def step(self, condition: int | None) -> None:
        self.count += bool(condition)

    def finalize(self) -> int:
        return self.count


class Percentile:
    """CLS's approx_percentile(value, fraction)."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.fraction = 0.0

    def step(self, value: float, fraction: float) -> None:
        self.values.append(value)
        self.fraction = fraction

    def finalize(self) -> float | None:
        return sorted(self.values)[int(self.fraction * (len(self.values) - 1))] if self.values else None


@pytest.fixture
def lines(tmp_path: Path) -> list[Line]:
    """What 22 requests of an instance and a run of each timer log."""
    names = ("MYSQL_HOST", "MYSQL_PORT", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "SQLITE_PATH")
    database = {name: value for name, value in environment().items() if name in names}
    connection.close()
    page = {"httpMethod": "GET", "path": "/", "headers": {"host": "survey.example.com"}}
    with Function(tmp_path, **database) as survey:
        instance = survey.start()
        for number in range(2):
            instance.handle(submission(number))
        for _ in range(20):
            instance.handle(page)
        log = survey.log.read_text()
    production = {"DEBUG": "0", "SECRET_KEY": "x" * 50, "PUBLIC_URL": "http://x.example", **database}
    for command in ("drain_outbox", "update_figures"):
        _output, errors = manage(command, **production).communicate(timeout=60)
        log += errors
    return [json.loads(line) for line in log.splitlines()]


def rows(search: str, select: str, lines: list[Line]) -> list[Line]:
    """Return the result of one statement."""
    terms = re.findall(r'(\w+):"([^"]*)"', search)
    found = [line for line in lines if all(str(line.get(name)) == value for name, value in terms)]
    names = sorted({name for line in lines for name in line})
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    database.create_aggregate("count_if", 1, CountIf)  # type: ignore[arg-type]
    database.create_aggregate("approx_percentile", 2, Percentile)  # type: ignore[arg-type]
    columns = ", ".join(f'"{name}"' for name in names)
    database.execute(f"CREATE TABLE log ({columns})")
    places = ", ".join("?" * len(names))
    for line in found:
        values = [line[name] if isinstance(line.get(name), str | int | float) else None for name in names]
        database.execute(f"INSERT INTO log VALUES ({places})", values)
    before, group, after = select.partition(" GROUP BY ")  # CLS needs no FROM
    return [dict(row) for row in database.execute(f"{before} FROM log{group}{after}")]


def triggers(condition: str, row: Line) -> bool:
    """Return whether the condition of an alarm is true for the result of its statement."""
    expression = re.sub(r"\$1\.(\w+)", lambda match: repr(row[match[1]]), condition)
    return bool(eval(expression.replace("&&", "and").replace("||", "or")))


def test_every_statement_runs_on_logged_lines_and_no_alarm_is_raised_by_them(lines: list[Line]) -> None:
    assert len(FOUND) == 5
    for search, select, condition in FOUND:
        result = rows(search, select, lines)
        assert result, search
        assert not condition or not triggers(condition, result[0]), (condition, result)
    search, select, _condition = FOUND[0]
    routes = {(row["route"], row["start"]): row for row in rows(search, select, lines)}
    assert routes["/", "warm"]["requests"] == 20
    assert routes["/submitSurvey", "warm"]["queries"] > 0


def changed(event: str, **fields: object) -> Callable[[Line], Line]:
    return lambda line: {**line, **fields} if line["event"] == event else line


def gone(event: str) -> Callable[[Line], Line]:
    return lambda line: {**line, "event": "other"} if line["event"] == event else line


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("error_percent", changed("request.served", status=503)),
        ("p95", changed("request.served", ms=5000.0)),
        ("due_seconds", changed("outbox.state", due_seconds=900)),
        ("due_seconds", gone("outbox.state")),
        ("days_due", changed("figures.updated", days_due=1)),
        ("days_due", gone("figures.updated")),
    ],
)
def test_an_alarm_is_raised_by_what_it_watches(lines: list[Line], column: str, change: Callable[[Line], Line]) -> None:
    [(search, select, condition)] = [found for found in FOUND if f"$1.{column}" in found[2]]
    [row] = rows(search, select, [change(line) for line in lines])
    assert triggers(condition, row), row


def test_a_deployment_indexes_the_fields_that_the_statements_read(lines: list[Line]) -> None:
    fields = project.read(ROOT).log_fields
    for search, select, _condition in FOUND:
        words = set(re.findall(r"\b[a-z_]+\b", re.sub(r"AS \w+", "", f"{search} {select}")))
        logged = {name for line in lines for name in line}
        assert words & logged <= fields.keys()
    for name, kind in fields.items():
        values = [line[name] for line in lines if name in line]
        assert values, name
        assert all(isinstance(value, TYPES[kind]) for value in values), name
