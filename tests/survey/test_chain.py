"""What head office has set is read once a minute, kept in the process, and outlives the database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from mydjango.cold_start import bare_query
from survey import chain
from survey.chain import ASPECT, PROBLEM, Chain, KeptQuestion
from survey.models import Question
from survey.scales import ASPECTS, Problem
from tests.support.mariadb import Server
from tests.support.processes import ROOT

LATER = chain.LIFE + 1


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """Begin like a new process, which has read nothing."""
    chain._kept = None
    yield
    chain._kept = None


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


def ask(label: str, kind: str = ASPECT, **fields: object) -> Question:
    return Question.objects.create(kind=kind, key=label.lower(), label=label, **fields)


def labels(found: Chain) -> list[str]:
    return [question.label for question in found.questions]


@pytest.mark.django_db
def test_without_rows_the_core_is_asked() -> None:
    found = chain.current()
    assert found == chain.CORE
    assert [question.key for question in found.asked(ASPECT)] == list(ASPECTS)
    assert [question.key for question in found.asked(PROBLEM)] == [problem.slug for problem in Problem]
    assert [chain.CORE_KEYS[kind] for kind in (ASPECT, PROBLEM)] == [
        tuple(ASPECTS),
        tuple(problem.slug for problem in Problem),
    ]
    taste = found.asked(ASPECT)[0]
    assert (taste.label, taste.label_en, taste.is_core) == ("口味", "Taste", True)


@pytest.mark.django_db
def test_questions_come_in_their_order_and_retired_ones_are_not_asked() -> None:
    ask("Second", position=2)
    ask("First", position=1, label_en="1st")
    ask("Gone", position=0, is_retired=True)
    found = chain.current()
    assert [question.label for question in found.asked(ASPECT)] == ["First", "Second"]
    assert [question.label for question in found.all(ASPECT)] == ["Gone", "First", "Second"]
    assert not found.asked(ASPECT)[0].is_core
    with translation.override("en"):
        assert [question.local_label for question in found.asked(ASPECT)] == ["1st", "Second"]


@pytest.mark.django_db
def test_a_change_shows_within_a_minute(pass_time: Callable[[float], None]) -> None:
    assert labels(chain.current()) == []
    ask("Parking")
    with CaptureQueriesContext(connection) as queries:
        pass_time(chain.LIFE - 1)
        assert labels(chain.current()) == []
        pass_time(2)
        assert labels(chain.current()) == labels(chain.current()) == ["Parking"]
    assert len(queries) == 1


@pytest.mark.django_db
def test_a_change_shows_at_once_in_the_process_that_made_it() -> None:
    chain.current()
    ask("Parking")
    chain.forget()
    assert labels(chain.current()) == ["Parking"]


@pytest.mark.django_db
def test_without_the_database_the_questions_read_last_are_asked(
    pass_time: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask("Parking")
    chain.current()
    ask("Music")
    pass_time(LATER)
    with monkeypatch.context() as patch:
        patch.setattr(chain, "STATEMENT", "SELECT missing FROM missing")
        assert labels(chain.current()) == ["Parking"]
    assert labels(chain.current()) == ["Parking"]  # no attempt at every request
    pass_time(LATER)
    assert labels(chain.current()) == ["Parking", "Music"]


@pytest.mark.django_db
def test_a_new_process_without_the_database_asks_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    ask("Parking")
    monkeypatch.setattr(chain, "STATEMENT", "SELECT missing FROM missing")
    assert chain.current() == chain.CORE


def test_one_thread_reads_while_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    old = Chain((KeptQuestion(1, ASPECT, "old", "Old", ""),))
    began, may_end = threading.Event(), threading.Event()
    reads = []

    def fetch(statement: str) -> bare_query.Rows:
        reads.append(statement)
        began.set()
        assert may_end.wait(30)
        return [(2, ASPECT, "new", "New", "", 0, 0, "")]

    monkeypatch.setattr(bare_query, "fetch", fetch)
    chain.keep(old)
    chain.forget()
    reader = threading.Thread(target=chain.current)
    reader.start()
    assert began.wait(30)
    assert chain.current() == old
    may_end.set()
    reader.join(30)
    assert labels(chain.current()) == ["New"]
    assert len(reads) == 1


READ = """
import json, sys, warnings
from django.db import Error
from mydjango.cold_start import bare_query
try:
    result = bare_query.fetch("SELECT 1, '中'")
except Error as error:
    result = type(error).__name__
print(json.dumps([result, "django.db.backends" in sys.modules, "django.db.models" in sys.modules]))
"""


def read_in_a_new_process(**variables: str) -> list[object]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mydjango.settings", "DEBUG": "1", **variables}
    done = subprocess.run([sys.executable, "-c", READ], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result: list[object] = json.loads(done.stdout)
    return result


@pytest.mark.slow
@pytest.mark.parametrize("tls", ["disabled", "preferred"])
def test_a_new_process_reads_from_mariadb_without_djangos_backend(mariadb_server: Server, tls: str) -> None:
    variables = mariadb_server.environment("information_schema")
    assert read_in_a_new_process(**variables, MYSQL_SSL=tls) == [[[1, "中"]], False, False]
    assert read_in_a_new_process(**{**variables, "MYSQL_PORT": "1"}, MYSQL_SSL=tls) == [
        "OperationalError",
        False,
        False,
    ]


@pytest.mark.slow
def test_a_new_process_reads_from_sqlite_without_djangos_backend(tmp_path: object) -> None:
    variables = {"MYSQL_HOST": "", "SQLITE_PATH": f"{tmp_path}/db.sqlite3"}
    assert read_in_a_new_process(**variables) == [[[1, "中"]], False, False]
