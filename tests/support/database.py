"""Pytest plugin, loaded before Django's settings: chooses the database of the tests.

It removes the variables of a production environment. `TEST_DATABASE=mariadb pytest` runs the whole suite on
MariaDB instead of SQLite: on the server that TEST_MYSQL_HOST names, or else on a private one.
"""

from __future__ import annotations

import atexit
import os

from tests.support.mariadb import PrivateServer, named_server

_PRODUCTION = ("SECRET_KEY", "DEBUG", "PUBLIC_URL", "ALLOWED_HOSTS", "SQLITE_PATH", "CONN_MAX_AGE")

for _name in list(os.environ):
    if _name.startswith(("MYSQL_", "EMAIL_")) or _name in _PRODUCTION:
        del os.environ[_name]

if os.environ.get("TEST_DATABASE") == "mariadb":
    _server = named_server()
    if _server is None:
        _private = PrivateServer().__enter__()
        atexit.register(_private.__exit__)
        _server = _private.server
        # For the processes of pytest-xdist, which start later.
        os.environ.update(_server.named())
    os.environ.update(_server.environment())
    # Seconds. Modules that use no database may take minutes, and the tests' connection stays open.
    os.environ["MYSQL_WAIT_TIMEOUT"] = "3600"


def pytest_configure() -> None:
    """Remove the variables after the settings have read them: tests name the database of each process they start."""
    from django.conf import settings

    assert settings.DATABASES
    for name in [name for name in os.environ if name.startswith("MYSQL_")]:
        del os.environ[name]
