"""Read a few rows without Django's database backend, whose import takes as long as a whole cold `GET /`.

For what a page asks for now and then and can do without: there is one attempt to connect, and a short one.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import OperationalError, connections

SECONDS = 2  # for the connect, and for each packet
# Options of mydjango/mysql/base.py; and what the session of a single SELECT does not need.
NOT_PYMYSQL = ("connect_seconds", "tls_is_optional", "isolation_level", "init_command")
NO_TLS = 2026  # the server does not support it

Rows = list[tuple[Any, ...]]


def fetch(statement: str) -> Rows:
    """Return the rows of a SELECT, from the connection that is open in this thread, or else from one of its own.

    Raises django.db.Error.
    """
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return [tuple(row) for row in cursor.fetchall()]
    database = settings.DATABASES["default"]
    return _mysql(database, statement) if database.get("HOST") else _sqlite(database, statement)


def _mysql(database: dict[str, Any], statement: str) -> Rows:
    import pymysql

    options = {name: value for name, value in database["OPTIONS"].items() if name not in NOT_PYMYSQL}
    options |= {
        "host": database["HOST"],
        "port": int(database["PORT"]),
        "user": database["USER"],
        "password": database["PASSWORD"],
        "database": database["NAME"],
        **dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), SECONDS),
    }
    try:
        try:
            connection = pymysql.Connection(**options)
        except pymysql.OperationalError as error:
            if not database["OPTIONS"].get("tls_is_optional") or error.args[0] != NO_TLS:
                raise
            connection = pymysql.Connection(**{**options, "ssl": None, "ssl_disabled": True})
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()
    except pymysql.Error as error:
        raise OperationalError(*error.args) from error


def _sqlite(database: dict[str, Any], statement: str) -> Rows:
    import sqlite3

    try:
        connection = sqlite3.connect(database["NAME"], timeout=SECONDS)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise OperationalError(*error.args) from error
