"""The registry of `manage.py doctor`'s checks, and the checks of the project.

An app registers its own checks in its module `doctor`, which is imported when the command runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import autodiscover_modules

from mydjango.operations import environment

Examination = Callable[[], tuple[bool, str]]  # whether the topic is well, and a sentence
DATABASE = "database"


class Finding(NamedTuple):
    """The result of a check: one line of the report."""

    topic: str
    is_well: bool
    sentence: str


CHECKS: dict[str, Examination] = {}  # by topic, in the order of the report
NEED_DATABASE: set[str] = set()  # topics that are skipped while the database is away


def check(topic: str, *, needs_database: bool = False) -> Callable[[Examination], Examination]:
    """Register the decorated function as the check of a topic."""

    def register(examine: Examination) -> Examination:
        CHECKS[topic] = examine
        if needs_database:
            NEED_DATABASE.add(topic)
        return examine

    return register


def examine() -> Iterator[Finding]:
    """Run the checks in order, and yield each finding at once; a failed check ends no other."""
    autodiscover_modules("doctor")
    is_away = False
    for topic, examine_topic in CHECKS.items():
        if is_away and topic in NEED_DATABASE:  # each would wait for another connect
            yield Finding(topic, False, "skipped: the database does not answer")
            continue
        finding = _examine(topic, examine_topic)
        is_away = is_away or (topic == DATABASE and not finding.is_well)
        yield finding


def _examine(topic: str, examine: Examination) -> Finding:
    try:
        return Finding(topic, *examine())
    except DatabaseError as error:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else type(error).__name__
        return Finding(topic, False, f"the database does not answer (error {code}); its log line says what to check")
    except OSError as error:
        return Finding(topic, False, f"{type(error).__name__}: {error.strerror or error}")


@check("settings")
def _settings() -> tuple[bool, str]:
    messages = run_checks(include_deployment_checks=not settings.DEBUG)
    serious = [message for message in messages if message.is_serious(WARNING) and not message.is_silenced()]
    if serious:
        return False, "; ".join(f"{message.id} {message.msg.partition('. ')[0].rstrip('.')}" for message in serious)
    if not settings.DEBUG and not settings.PUBLIC_URL:
        return False, "PUBLIC_URL is not set: hosts, links and cookies depend on it"
    return True, f"DEBUG is {'on: for development only' if settings.DEBUG else 'off'}"


@check(DATABASE)
def _database() -> tuple[bool, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()" if connection.vendor == "mysql" else "SELECT sqlite_version()")
        return True, f"{connection.display_name} {cursor.fetchone()[0]} answers"


@check("isolation", needs_database=True)
def _isolation() -> tuple[bool, str]:
    if connection.vendor != "mysql":
        return True, "one writer at a time (SQLite)"
    with connection.cursor() as cursor:
        cursor.execute("SHOW VARIABLES WHERE variable_name IN ('tx_isolation', 'transaction_isolation')")
        levels = {row[1] for row in cursor.fetchall()}
        cursor.execute("SELECT @@SESSION.sql_mode")
        is_strict = "STRICT_TRANS_TABLES" in cursor.fetchone()[0]
    is_well = levels == {"READ-COMMITTED"} and is_strict
    return is_well, f"{', '.join(sorted(levels))}, strict mode {'on' if is_strict else 'off'}"


@check("migrations", needs_database=True)
def _migrations() -> tuple[bool, str]:
    missing = unapplied_migrations()
    if missing:
        return False, f"{len(missing)} not applied: run `manage.py migrate`"
    return True, "all applied"


def unapplied_migrations() -> list[Any]:
    """Return the migrations that `migrate` would apply; an empty list where there are none."""
    executor = MigrationExecutor(connection)
    return executor.migration_plan(executor.loader.graph.leaf_nodes())


@check("TLS to the database", needs_database=True)
def _tls() -> tuple[bool, str]:
    if connection.vendor != "mysql":
        return True, "no network in between (SQLite)"
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        row = cursor.fetchone()
    state = f"encrypted with {row[1]}" if row and row[1] else "not encrypted, fine inside a VPC"
    return True, f"MYSQL_SSL={environment.text('MYSQL_SSL', 'disabled')}: {state}"


@check("mail server")
def _mail_server() -> tuple[bool, str]:
    if not settings.EMAIL_HOST:
        return settings.DEBUG, "EMAIL_HOST is not set: mail " + ("is printed" if settings.DEBUG else "stays queued")
    mailer = get_connection()
    try:
        mailer.open()
    finally:
        mailer.close()
    return True, f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} accepts the login"


@check("temporary folder")
def _temporary_folder() -> tuple[bool, str]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")
    return True, f"{tempfile.gettempdir()} is writable"


@check("static files")
def _static_files() -> tuple[bool, str]:
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if manifest.is_file():
        return True, "collected, with a manifest"
    if settings.DEBUG:
        return True, "served from the apps' folders, as in development"
    return False, "not collected: run `manage.py collectstatic`, which `manage.py package` does"


@check("platform log")
def _platform_log() -> tuple[bool, str]:
    if not settings.PLATFORM:
        return True, "no function platform here"
    return True, "it holds every result: let few people read it, and keep it for days, not months (docs/promises.md)"
