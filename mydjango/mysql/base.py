"""The database backend: Django's own over PyMySQL, with a connect that is retried.

A connect may fail for a reason that passes: the server is at its limit of connections, restarts, or sleeps (TDSQL-C).
Only the connect is retried. A failed query is never sent again, since the server may have run it.

Each command waits for the answer to the one before, BEGIN too: a client that sends two at once is disconnected by
ProxySQL (its issue 1463) and may hang on Aurora (CONJ-386 of MariaDB's Connector/J).
"""

from __future__ import annotations

import logging
import random
import sys
import time
from typing import Any

import pymysql

pymysql.install_as_MySQLdb()
# Without these, Django's imports from MySQLdb would load second copies, whose errors are other classes.
for _name in ("constants", "constants.CLIENT", "constants.ER", "constants.FIELD_TYPE", "converters", "err"):
    sys.modules[f"MySQLdb.{_name}"] = sys.modules[f"pymysql.{_name}"]

from django.db.backends.mysql import base  # noqa: E402  (must see PyMySQL as MySQLdb)

from mydjango.operations import invocation  # noqa: E402

logger = logging.getLogger(__name__)

# Server: 1040 too many connections, 1203 too many of this user, 9449 TDSQL-C is waking up.
# Client: 2002 and 2003 connection refused, 2006 and 2013 connection lost during the handshake.
PASSING_ERRORS = frozenset({1040, 1203, 2002, 2003, 2006, 2013, 9449})
NO_TLS = 2026  # the server does not support it

FIRST_PAUSE = 0.05  # seconds; grows by half each time
LONGEST_PAUSE = 1.0
SHORTEST_ATTEMPT = 1.0  # seconds; no attempt starts with less time left


class Connection(pymysql.connections.Connection):
    """PyMySQL's connection without its own SET NAMES, which `init_command` includes (options.py)."""

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        """Send nothing; the encoding is the constructor's."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's MySQL backend, whose connect is retried while the request has time left."""

    # Whether the server supports TLS; None before the first connect of this process.
    _has_tls: bool | None = None

    def get_connection_params(self) -> dict[str, Any]:
        """Return PyMySQL's arguments: without our own options, and outside of a request without timeouts."""
        dropped = {"connect_seconds", "tls_is_optional"}
        if invocation.seconds_left() is None:  # a migration may take long between two packets
            dropped |= {"read_timeout", "write_timeout"}
        return {name: value for name, value in super().get_connection_params().items() if name not in dropped}

    def get_new_connection(self, conn_params: dict[str, Any]) -> pymysql.Connection[Any]:
        """Connect, and retry PASSING_ERRORS while time is left. Raises the last error."""
        patience = float(self.settings_dict["OPTIONS"].get("connect_seconds", 0))
        left = invocation.seconds_left()
        give_up = time.monotonic() + (patience if left is None else min(patience, left))
        pause = FIRST_PAUSE
        attempts = 0
        while True:
            attempts += 1
            try:
                return self._attempt(conn_params, max(SHORTEST_ATTEMPT, give_up - time.monotonic()))
            except pymysql.OperationalError as error:
                code = error.args[0] if error.args else None
                # A random part of the pause: instances that were refused together must not return together.
                wait = pause * random.uniform(0.5, 1)  # noqa: S311
                if code not in PASSING_ERRORS or time.monotonic() + wait + SHORTEST_ATTEMPT > give_up:
                    logger.error(  # noqa: TRY400  (whoever handles the error logs where it came from)
                        "database.connect_failed", extra={"code": code, "attempts": attempts, "reason": _reason(code)}
                    )
                    raise
                time.sleep(wait)
                pause = min(pause * 1.5, LONGEST_PAUSE)

    def _attempt(self, conn_params: dict[str, Any], seconds: float) -> pymysql.Connection[Any]:
        """Connect once, within these seconds.

        The read timeout bounds the handshake, since a server may accept the connection and then stay silent. PyMySQL
        has no public way to set another one for the queries.
        """
        read_timeout = conn_params.get("read_timeout")
        bounded = {
            **conn_params,
            "connect_timeout": min(seconds, conn_params["connect_timeout"]),
            "read_timeout": min(seconds, read_timeout or seconds),
        }
        connection = self._connect(bounded)
        connection._read_timeout = read_timeout  # type: ignore[attr-defined]
        return connection

    def _connect(self, conn_params: dict[str, Any]) -> pymysql.Connection[Any]:
        """Connect. With MYSQL_SSL=preferred the first connect finds out whether the server supports TLS."""
        is_optional = self.settings_dict["OPTIONS"].get("tls_is_optional")
        if not (is_optional and DatabaseWrapper._has_tls is False):
            try:
                connection = Connection(**conn_params)
            except pymysql.OperationalError as error:
                if not is_optional or DatabaseWrapper._has_tls or error.args[0] != NO_TLS:
                    raise
                DatabaseWrapper._has_tls = False
            else:
                DatabaseWrapper._has_tls = True
                return connection
        without_tls = {**conn_params, "ssl": None, "ssl_disabled": True}
        return Connection(**without_tls)

    def _start_transaction_under_autocommit(self) -> None:
        """Begin a transaction with one statement; Django would switch autocommit off and, afterwards, on again.

        Django calls this where `autocommits_when_autocommit_is_off` is set, as for SQLite.
        """
        with self.wrap_database_errors:
            self.connection.begin()


def _reason(code: object) -> str:
    """Return a sentence that says what an administrator should check."""
    if code in (1040, 1203):
        return "The server is at its limit of connections: raise max_connections or limit the instances."
    if code in (1044, 1045, 1698):
        return "The server refuses this user: check MYSQL_USER and MYSQL_PASSWORD, and that it may connect from here."
    if code == 1049:
        return "There is no such database: check MYSQL_DATABASE."
    if code == NO_TLS:
        return "The server takes no TLS, but MYSQL_SSL names a certificate: check both."
    if code in PASSING_ERRORS:
        return "The server is not reachable: check MYSQL_HOST, MYSQL_PORT, and that the function is in its network."
    return "See the server's manual for this error code."
