"""More guests at once than the database takes connections: every answer is stored, no connection is left open.

The same with 301 guests and the server's default of 151 connections: `python -m benchmarks.burst`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.burst import Pool, burst
from tests.support.eventually import eventually
from tests.support.mariadb import private_server
from tests.support.processes import ROOT, Function

pytestmark = pytest.mark.slow

GUESTS, ROUNDS, CONNECTIONS = 60, 3, 10


def test_more_guests_at_once_than_connections(tmp_path: Path, built_lexicon: None) -> None:
    with private_server(f"--max-connections={CONNECTIONS}") as private:
        server = private.server
        server.execute("CREATE DATABASE survey CHARACTER SET utf8mb4")
        environment = {**os.environ, **server.environment(), "DEBUG": "1"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
        with Function(tmp_path, **server.environment()) as survey:
            pool = Pool(survey)
            for _round in range(ROUNDS):
                assert set(burst(GUESTS, pool.send)[0]) == {201}
            rows = [
                server.execute(f"SELECT COUNT(*) FROM survey.survey_{table}") for table in ("response", "outgoingmail")
            ]
            with_words = server.execute("SELECT COUNT(DISTINCT response_id) FROM survey.survey_responseterm")
            eventually(lambda: server.connections() == [])
        assert rows == [[(GUESTS * ROUNDS,)], [(GUESTS * ROUNDS,)]]
        assert with_words == [(GUESTS * ROUNDS,)]
