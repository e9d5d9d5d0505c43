"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.urls import clear_script_prefix

import index
from tests.support.mariadb import PrivateServer, Server, named_server, private_server


def pytest_configure() -> None:
    """A shell starts what runs in the background with Control-C ignored, and our children would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Put SQLite in a file, as in use: the one in memory has other locks, and fails where the file waits.

    On MariaDB each process of pytest-xdist has a database of its own, by the suffix of its name.
    """
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = tmp_path_factory.mktemp("database") / "test.sqlite3"


@pytest.fixture(autouse=True)
def no_script_prefix() -> Iterator[None]:
    """Forget what a request through the bridge leaves in this thread, since `reverse` would go on using it."""
    yield
    clear_script_prefix()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """A MariaDB server to use politely: the named one, else a private one for the session."""
    named = named_server()
    if named is not None:
        yield named
        return
    with private_server() as private:
        yield private.server


@pytest.fixture(scope="module")
def mariadb_environment(mariadb_server: Server) -> Iterator[dict[str, str]]:
    """The variables that name an empty database of the module's own; other processes use the same server."""
    database = f"survey_{uuid.uuid4().hex}"
    mariadb_server.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
    yield mariadb_server.environment(database)
    mariadb_server.execute(f"DROP DATABASE {database}")


@pytest.fixture
def private_mariadb() -> Iterator[PrivateServer]:
    """A server of the test's own, to kill, restart or flood."""
    with private_server() as private:
        yield private


@pytest.fixture
def bridge_setting(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Set an environment variable and let index.py read its settings again; both as before after the test."""
    monkeypatch.setattr(index, "settings", index.settings)  # remembers it

    def change(name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        index.settings = index.Settings.read(os.environ)

    return change


@pytest.fixture
def failing_import(bridge_setting: Callable[[str, str], None]) -> Iterator[None]:
    """WSGI_APPLICATION names a module that is not there."""
    bridge_setting("WSGI_APPLICATION", "no_such_module:application")
    index.load_application.cache_clear()
    yield
    index.load_application.cache_clear()


@pytest.fixture(scope="session")
def built_lexicon() -> None:
    """A lexicon where instances look for it, as a deployment has it."""
    from survey.text import analysis

    analysis.segment("有")


@pytest.fixture
def chain(db):
    """Two branches with their staff."""
    from tests.support.chain import make_chain

    return make_chain()


@pytest.fixture
def real_project(db: None) -> Iterator[None]:
    """Gateway events reach the real project inside the test's transaction.

    As in Django's test client, connections are not closed around a request: that would end the transaction.
    """
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)
