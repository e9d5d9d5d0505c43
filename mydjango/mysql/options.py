"""PyMySQL's options, read from the environment."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mydjango.operations import environment


def connection_options() -> dict[str, Any]:
    """Return DATABASES["default"]["OPTIONS"]."""
    # The server then releases what a vanished instance holds, row locks included.
    wait_timeout = environment.integer("MYSQL_WAIT_TIMEOUT", 60, minimum=1)
    return {
        "charset": "utf8mb4",
        # Set by init_command. Django would send a statement of its own.
        "isolation_level": None,
        # Django sets it anyway; set while connecting it costs no round trip.
        "autocommit": True,
        # One statement: each is a round trip of every request, which has a connection of its own.
        "init_command": (
            f"SET NAMES utf8mb4, SESSION wait_timeout={wait_timeout}, SESSION innodb_lock_wait_timeout=15, "
            "SESSION sql_mode=CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'), "
            # Readers never block writers, and there are no gap locks, the usual cause of deadlocks. MySQL 8 and
            # MariaDB before 11.1 each know one name only. https://mariadb.com/kb/en/comment-syntax/
            "SESSION /*!80000 transaction_isolation */ /*M! tx_isolation */ = 'READ-COMMITTED'"
        ),
        # Seconds. Read and write timeouts hold in requests only (base.py).
        "connect_timeout": 3,
        "read_timeout": environment.integer("MYSQL_READ_TIMEOUT", 20, minimum=1),
        "write_timeout": 10,
        # Seconds of all attempts to connect; a request with less time left makes fewer (base.py).
        "connect_seconds": environment.integer("MYSQL_CONNECT_SECONDS", 15),
        **_tls(environment.text("MYSQL_SSL", "disabled")),
    }


def _tls(choice: str) -> dict[str, Any]:
    """Return the TLS context, made once: PyMySQL would make one at every connect, which takes 40 to 80 ms.

    With a CA's file the connection is encrypted and the server's certificate must be of this CA, as with MySQL's own
    client. The host name is not compared, since managed servers are reached by an address that no certificate names.
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
    # The certificates that MySQL generates for itself do not fully meet RFC 5280.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return {"ssl": context}
