"""The database backend that settings name: Django's own over PyMySQL, with patience while it connects.

A connect may fail for a reason that passes: the server is at its limit of connections, restarts, or sleeps (TDSQL-C).
Only the connect is tried again. A query that fails is never sent twice: nobody knows whether the server has done it.
"""

from __future__ import annotations

import logging
import random
import time
from typing import Any

import pymysql

pymysql.install_as_MySQLdb()

from django.db.backends.mysql import base  # noqa: E402  (must see PyMySQL as MySQLdb)

from mydjango.operations import invocation  # noqa: E402

logger = logging.getLogger(__name__)

# Not pymysql.err's: Django's imports from "MySQLdb" put a second copy of that module in its place.
OperationalError = base.Database.OperationalError  # type: ignore[attr-defined]

# Server: 1040 too many connections, 1203 too many of this user, 9449 TDSQL-C is waking up.
# Client: 2002 and 2003 nobody listens, 2006 and 2013 the server went away during the handshake.
PASSING_ERRORS = frozenset({1040, 1203, 2002, 2003, 2006, 2013, 9449})
NO_TLS = 2026  # the server offers none

FIRST_PAUSE = 0.05  # seconds; grows by half each time
LONGEST_PAUSE = 1.0
SHORTEST_ATTEMPT = 1.0  # seconds; with less left no further attempt is begun


class Connection(pymysql.connections.Connection):
    """PyMySQL's connection without its own SET NAMES, which `init_command` includes (options.py)."""

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        """Send nothing; the encoding is the constructor's."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's MySQL backend, whose connect is tried again while the request has time left."""

    # Whether the server takes TLS, learned at the first connect of this process; None before.
    _takes_tls: bool | None = None

    def get_connection_params(self) -> dict[str, Any]:
        """PyMySQL's arguments, without the option that is ours."""
        params: dict[str, Any] = super().get_connection_params()
        params.pop("connect_seconds", None)
        params.pop("tls_is_optional", None)
        left = invocation.seconds_left()
        if left is None:
            # A migration or an export may take long between two packets.
            params.pop("read_timeout", None)
            params.pop("write_timeout", None)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> pymysql.Connection[Any]:
        """Connect, again and again while the error is one that passes and time is left; raises the last one."""
        patience = float(self.settings_dict["OPTIONS"].get("connect_seconds", 0))
        left = invocation.seconds_left()
        give_up = time.monotonic() + (patience if left is None else min(patience, left))
        pause = FIRST_PAUSE
        attempts = 0
        while True:
            attempts += 1
            try:
                return self._attempt(conn_params, max(SHORTEST_ATTEMPT, give_up - time.monotonic()))
            except OperationalError as error:
                code = error.args[0] if error.args else None
                # Between half and all of the pause: instances that were refused together do not return together.
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

        The read timeout bounds the handshake too: a server that takes the connect and says nothing ends the attempt
        like one that is away. PyMySQL has no public way to set it for the queries afterwards.
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
        """One connect; with MYSQL_SSL=preferred the first one finds out whether the server takes TLS."""
        if not self.settings_dict["OPTIONS"].get("tls_is_optional"):
            return Connection(**conn_params)
        without = {**{name: value for name, value in conn_params.items() if name != "ssl"}, "ssl_disabled": True}
        if DatabaseWrapper._takes_tls is False:
            return Connection(**without)
        try:
            connection = Connection(**conn_params)
        except OperationalError as error:
            if error.args[0] != NO_TLS or DatabaseWrapper._takes_tls:
                raise
            DatabaseWrapper._takes_tls = False
            return Connection(**without)
        DatabaseWrapper._takes_tls = True
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        """Begin a transaction with one statement; Django would switch autocommit off and, afterwards, on again.

        Django calls this where `autocommits_when_autocommit_is_off` is set, as for SQLite.
        """
        with self.wrap_database_errors:
            self.connection.begin()


def _reason(code: object) -> str:
    """What an administrator should look at."""
    if code in (1040, 1203):
        return "The server is at its limit of connections: raise max_connections or limit the instances."
    if code in (1044, 1045, 1698):
        return "The server refuses this user: check MYSQL_USER and MYSQL_PASSWORD, and that it may connect from here."
    if code == 1049:
        return "There is no such database: check MYSQL_DATABASE."
    if code == NO_TLS:
        return "The server takes no TLS, but MYSQL_SSL names a certificate: check both."
    if code in PASSING_ERRORS:
        return "Nobody answers: check MYSQL_HOST, MYSQL_PORT, and that the function is in the database's network."
    return "See the server's manual for this error code."
