"""What an administrator wants to know when something is wrong: one check a topic, one sentence a check."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from mydjango.operations import environment
from survey.jobs import retention, rollup
from survey.mail import outbox
from survey.models import Chore, Response

LATE = timedelta(minutes=10)  # timers drain and count every minute
ERASURE_LATE = timedelta(days=2)  # a timer erases every night

DATABASE = "database"
# Not looked at when the database is away: each would wait for the connect once more.
NEED_DATABASE = frozenset(
    (
        "idle connections",
        "isolation",
        "migrations",
        "TLS to the database",
        "mail queue",
        "keywords",
        "last drain",
        "last figures",
        "last erasure",
    )
)


class Finding(NamedTuple):
    """One line: what was looked at, whether it is well, and a sentence."""

    topic: str
    is_well: bool
    sentence: str


def examine() -> Iterator[Finding]:
    """Yield the finding of every check as soon as it is known, also after one that failed."""
    is_away = False
    for topic, check in CHECKS.items():
        if is_away and topic in NEED_DATABASE:
            yield Finding(topic, False, "not looked at: the database does not answer")
            continue
        finding = _examine(topic, check)
        if topic == DATABASE:
            is_away = not finding.is_well
        yield finding


def _examine(topic: str, check: Callable[[], tuple[bool, str]]) -> Finding:
    try:
        return Finding(topic, *check())
    except DatabaseError as error:
        number = error.args[0] if error.args and isinstance(error.args[0], int) else type(error).__name__
        return Finding(topic, False, f"the database does not answer (error {number}); its log line says what to check")
    except OSError as error:
        return Finding(topic, False, f"{type(error).__name__}: {error.strerror or error}")


def _settings() -> tuple[bool, str]:
    messages = [one for one in run_checks(include_deployment_checks=not settings.DEBUG) if one.level >= WARNING]
    silenced = settings.SILENCED_SYSTEM_CHECKS
    wrong = [f"{one.id} {one.msg.partition('. ')[0].rstrip('.')}" for one in messages if one.id not in silenced]
    if wrong:
        return False, "; ".join(wrong)
    if not settings.DEBUG and not settings.PUBLIC_URL:
        return False, "PUBLIC_URL is not set: hosts, links and cookies depend on it"
    return True, f"DEBUG is {'on: for development only' if settings.DEBUG else 'off'}"


def _database() -> tuple[bool, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()" if connection.vendor == "mysql" else "SELECT sqlite_version()")
        return True, f"{connection.display_name} {cursor.fetchone()[0]} answers"


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


def _migrations() -> tuple[bool, str]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return False, f"{len(missing)} not applied: run `manage.py migrate`"
    return True, "all applied"


def _tls() -> tuple[bool, str]:
    if connection.vendor != "mysql":
        return True, "no network in between (SQLite)"
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        row = cursor.fetchone()
    cipher = row[1] if row else ""
    choice = environment.text("MYSQL_SSL", "disabled")
    return True, f"MYSQL_SSL={choice}: {f'encrypted with {cipher}' if cipher else 'not encrypted, fine inside a VPC'}"


def _wait_timeout() -> tuple[bool, str]:
    """Whether the server leaves a connection open for as long as a mail may take."""
    if connection.vendor != "mysql":
        return True, "no server that closes idle connections (SQLite)"
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@SESSION.wait_timeout")
        [seconds] = cursor.fetchone()
    if seconds < outbox.DRAIN_SECONDS:
        return False, f"MYSQL_WAIT_TIMEOUT={seconds}, but a mail may take {outbox.DRAIN_SECONDS:g} s: raise it"
    return True, f"the server closes them after {seconds} s"


def _mail_server() -> tuple[bool, str]:
    if not settings.EMAIL_HOST:
        return settings.DEBUG, "EMAIL_HOST is not set: mail " + ("is printed" if settings.DEBUG else "stays queued")
    mailer = get_connection()
    try:
        mailer.open()
    finally:
        mailer.close()
    return True, f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} lets us in"


def _temporary_folder() -> tuple[bool, str]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")
    return True, f"{tempfile.gettempdir()} is writable"


def _static_files() -> tuple[bool, str]:
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if manifest.is_file():
        return True, "collected, with a manifest"
    if settings.DEBUG:
        return True, "served from the apps' folders, as in development"
    return False, "not collected: run `manage.py collectstatic`, which `manage.py package` does"


def _queue() -> tuple[bool, str]:
    state = outbox.queue_state()
    age = timezone.now() - state.due_since if state.due_since else timedelta(0)
    due = f", the oldest due for {int(age.total_seconds())} s" if state.due_since else ""
    return age < LATE and not state.failed, f"{state.queued} queued{due}, {state.failed} given up"


def _keywords() -> tuple[bool, str]:
    from survey.text import analysis, lexicon

    try:
        with lexicon.without_building():
            analysis.segment("好")
    except lexicon.NotBuilt:
        return settings.DEBUG, "there is no lexicon: " + (
            "it is built on first use" if settings.DEBUG else "`manage.py package` ships one, `build_lexicon` makes one"
        )
    except lexicon.LexiconError as error:
        return False, str(error)
    due = Response.objects.filter(terms_due=True, created_at__lt=timezone.now() - LATE).count()
    return not due, f"the dictionary opens, {due} comments wait for their keywords"


def _last_run(command: str) -> tuple[bool, str]:
    """Of a command that a timer runs every minute."""
    last = Chore.objects.filter(name=command).first()
    if last is None:
        return False, f"never: the timer runs `{command}` every minute once it is deployed"
    seconds = int((timezone.now() - last.finished_at).total_seconds())
    return seconds < LATE.total_seconds(), f"{seconds} s ago"


def _last_erasure() -> tuple[bool, str]:
    last = Chore.objects.filter(name=retention.CHORE, finished_at__gt=timezone.now() - ERASURE_LATE).first()
    oldest = timezone.localdate() - timedelta(settings.RETENTION_DAYS) - ERASURE_LATE
    overdue = last is None and Response.objects.filter(local_date__lt=oldest).exists()
    when = f"at {last.finished_at:%Y-%m-%d %H:%M} UTC" if last else "not in the last two days"
    return not overdue, f"{when}; answers are kept for {settings.RETENTION_DAYS} days"


def _platform_log() -> tuple[bool, str]:
    if not settings.PLATFORM:
        return True, "no platform here that logs answers"
    return True, (
        "the platform logs every value the function returns: let few people read that topic, and keep it for days, "
        "not months (docs/promises.md)"
    )


CHECKS: dict[str, Callable[[], tuple[bool, str]]] = {
    "settings": _settings,
    DATABASE: _database,
    "isolation": _isolation,
    "migrations": _migrations,
    "TLS to the database": _tls,
    "idle connections": _wait_timeout,
    "mail server": _mail_server,
    "temporary folder": _temporary_folder,
    "static files": _static_files,
    "mail queue": _queue,
    "keywords": _keywords,
    "last drain": partial(_last_run, outbox.CHORE),
    "last figures": partial(_last_run, rollup.CHORE),
    "last erasure": _last_erasure,
    "platform's log": _platform_log,
}
