"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.urls import clear_script_prefix

import index
from survey import chain as kept_chain
from tests.support.mariadb import PrivateServer, Server, named_server, private_server


def pytest_configure() -> None:
    """Hash passwords quickly, and handle Ctrl-C again where a shell started the tests in the background.

    Child processes inherit the handler.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    PBKDF2PasswordHasher.iterations = 1  # a million of them take half a second for each password


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Put SQLite in a file, as in production: a database in memory fails where a file waits for a lock.

    On MariaDB the suffix gives each process of pytest-xdist a database of its own.
    """
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = tmp_path_factory.mktemp("database") / "test.sqlite3"


@pytest.fixture(autouse=True)
def days_are_complete_at_midnight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the job count yesterday from midnight on: in the next quarter of an hour tests would find it uncounted."""
    from survey.jobs import rollup

    monkeypatch.setattr(rollup, "SETTLED_AFTER", timedelta(0))


@pytest.fixture(autouse=True)
def no_script_prefix() -> Iterator[None]:
    """Clear the prefix that a request through the bridge leaves in this thread, and that `reverse` would use."""
    yield
    clear_script_prefix()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """A MariaDB server shared by the session: the one of TEST_MYSQL_HOST, or else a private one."""
    named = named_server()
    if named is not None:
        yield named
        return
    with private_server() as private:
        yield private.server


@pytest.fixture(scope="module")
def mariadb_environment(mariadb_server: Server) -> Iterator[dict[str, str]]:
    """The variables of an empty database for the module; other processes use the same server."""
    database = f"survey_{uuid.uuid4().hex}"
    mariadb_server.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
    yield mariadb_server.environment(database)
    mariadb_server.execute(f"DROP DATABASE {database}")


@pytest.fixture
def private_mariadb() -> Iterator[PrivateServer]:
    """A server for one test, to kill, restart or overload."""
    with private_server() as private:
        yield private


@pytest.fixture
def bridge_setting(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Set an environment variable and reload the settings of index.py; both are restored after the test."""
    monkeypatch.setattr(index, "settings", index.settings)  # restores it

    def change(name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        index.settings = index.Settings.read(os.environ)

    return change


@pytest.fixture
def failing_import(bridge_setting: Callable[[str, str], None]) -> Iterator[None]:
    """WSGI_APPLICATION names a module that does not exist."""
    bridge_setting("WSGI_APPLICATION", "no_such_module:application")
    index.load_application.cache_clear()
    yield
    index.load_application.cache_clear()


@pytest.fixture(scope="session")
def built_lexicon() -> None:
    """Build the lexicon where instances look for it."""
    from survey.text import analysis

    analysis.segment("有")


@pytest.fixture
def chain(db):
    """Two branches with their staff."""
    from tests.support.chain import make_chain

    return make_chain()


@pytest.fixture
def real_project(db: None) -> Iterator[None]:
    """Pass gateway events to the real project inside the test's transaction.

    As in Django's test client, connections stay open around a request, since closing them ends the transaction.
    """
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.fixture(autouse=True)
def core_questions() -> Iterator[None]:
    """Begin each test with the questions of a new installation, kept as if they had just been read.

    A change through survey/staff/questions.py has them read again; `chain.forget()` does so after any other.
    """
    kept_chain.keep(kept_chain.CORE)
    yield
    kept_chain.keep(kept_chain.CORE)
