"""How the project talks to MySQL: PyMySQL's options, made once from the environment."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mydjango.operations import environment


def connection_options() -> dict[str, Any]:
    """What DATABASES["default"]["OPTIONS"] holds."""
    # Lets the server reap what a vanished instance holds, row locks included.
    wait_timeout = environment.integer("MYSQL_WAIT_TIMEOUT", 60, minimum=1)
    return {
        "charset": "utf8mb4",
        # Set by init_command. Django would send a statement of its own.
        "isolation_level": None,
        # Django switches it on anyway; said while connecting it costs no round trip.
        "autocommit": True,
        # One statement: each is a round trip of every request, which has a connection of its own.
        "init_command": (
            f"SET NAMES utf8mb4, SESSION wait_timeout={wait_timeout}, SESSION innodb_lock_wait_timeout=15, "
            "SESSION sql_mode=CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'), "
            # A reader never blocks a writer, and gap locks, the usual reason for deadlocks, are not taken. MySQL 8 and
            # MariaDB before 11.1 each know one name only. https://mariadb.com/kb/en/comment-syntax/
            "SESSION /*!80000 transaction_isolation */ /*M! tx_isolation */ = 'READ-COMMITTED'"
        ),
        # Seconds: of one connect, of one answer and of one question. The last two hold in requests only.
        "connect_timeout": 3,
        "read_timeout": environment.integer("MYSQL_READ_TIMEOUT", 20, minimum=1),
        "write_timeout": 10,
        # Ours: how long a request or a command waits for the database, unless the request has less time left.
        "connect_seconds": environment.integer("MYSQL_CONNECT_SECONDS", 15),
        **_tls(environment.text("MYSQL_SSL", "disabled")),
    }


def _tls(choice: str) -> dict[str, Any]:
    """The decision about TLS, made once: PyMySQL left alone builds a context at every connect, 40 to 80 ms each.

    A CA's file means what it means to MySQL's own client: encrypted, and the server's certificate is of this CA.
    Its host name is not compared, since managed servers are reached by an address that no certificate names.
    """
    if choice == "disabled":
        return {"ssl_disabled": True}
    if choice == "preferred":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return {"ssl": context, "tls_is_optional": True}
    if not Path(choice).is_file():
        raise ImproperlyConfigured(
            f"MYSQL_SSL={choice!r} is neither 'disabled' nor 'preferred' nor the file of a CA's certificate."
        )
    try:
        context = ssl.create_default_context(cafile=choice)
    except ssl.SSLError as error:
        raise ImproperlyConfigured(f"MYSQL_SSL={choice!r} holds no certificate: {error.reason}.") from None
    context.check_hostname = False
    # The certificates that MySQL makes for itself do not meet RFC 5280 to the letter.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return {"ssl": context}
