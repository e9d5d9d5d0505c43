"""Fixtures that several test modules share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection

from tests.mariadb import PrivateServer, Server, Unavailable, named_server


def _unavailable(error: Unavailable) -> None:
    """Skip with the reason; in CI a missing server is a failure."""
    if os.environ.get("CI"):
        pytest.fail(str(error))
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, as in use: the one in memory has other locks, and fails where the file waits."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = tmp_path_factory.mktemp("database") / "test.sqlite3"


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """A MariaDB server to use politely: the named one, else a private one for the session."""
    named = named_server()
    if named is not None:
        yield named
        return
    try:
        private = PrivateServer().__enter__()
    except Unavailable as error:
        _unavailable(error)
    try:
        yield private.server
    finally:
        private.__exit__()


@pytest.fixture
def private_mariadb() -> Iterator[PrivateServer]:
    """A server of the test's own, to kill, restart or flood."""
    try:
        private = PrivateServer().__enter__()
    except Unavailable as error:
        _unavailable(error)
    try:
        yield private
    finally:
        private.__exit__()


@pytest.fixture
def chain(db):
    """Two branches with their staff."""
    from tests.chain import make_chain

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
