"""The survey's checks for `manage.py doctor`."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import connection
from django.utils import timezone

from mydjango.object_storage.bucket import StorageError
from mydjango.operations.doctor import check
from survey import photos
from survey.jobs import retention, rollup
from survey.mail import outbox
from survey.mail.delivery import QueueState
from survey.models import JobRun, Photo, Submission
from survey.robots import alerts

LATE = timedelta(minutes=10)  # for jobs that run every minute
ERASURE_LATE = timedelta(days=2)  # for the job that runs every night


@check("idle connections", needs_database=True)
def _wait_timeout() -> tuple[bool, str]:
    """Check that the server keeps an idle connection open for as long as sending a mail may take."""
    if connection.vendor != "mysql":
        return True, "no server that closes idle connections (SQLite)"
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@SESSION.wait_timeout")
        [seconds] = cursor.fetchone()
    if seconds < outbox.DELIVERY_SECONDS:
        return False, f"MYSQL_WAIT_TIMEOUT={seconds}, but a mail may take {outbox.DELIVERY_SECONDS:g} s: raise it"
    return True, f"the server closes them after {seconds} s"


@check("mail queue", needs_database=True)
def _mail_queue() -> tuple[bool, str]:
    return _queue(outbox.queue_state())


@check("queue of robots", needs_database=True)
def _robots() -> tuple[bool, str]:
    return _queue(alerts.queue_state())


def _queue(state: QueueState) -> tuple[bool, str]:
    age = timezone.now() - state.due_since if state.due_since else timedelta(0)
    due = f", the oldest due for {int(age.total_seconds())} s" if state.due_since else ""
    return age < LATE and not state.failed, f"{state.queued} queued{due}, {state.failed} given up"


@check("keywords", needs_database=True)
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
    due = Submission.objects.filter(terms_due=True, created_at__lt=timezone.now() - LATE).count()
    return not due, f"the dictionary opens, {due} comments wait for their keywords"


@check("photos", needs_database=True)
def _photos() -> tuple[bool, str]:
    if not photos.is_on():
        return True, "guests cannot add any: PHOTO_BUCKET_URL is not set"
    try:
        keys = photos.storage().check_credentials()
    except StorageError as error:
        return False, f"{error} PHOTO_SECRET_ID and PHOTO_SECRET_KEY are the key, FUNCTION_ROLE the role"
    failed = Photo.objects.filter(delete_at__isnull=False, attempts__gt=0)
    if last := failed.order_by("-attempts").first():
        return False, f"{failed.count()} are not deleted yet, the last error is {last.last_error or 'an interruption'}"
    waiting = Photo.objects.filter(delete_at__isnull=False).count()
    return True, f"signed with {keys}, {waiting} wait for their deletion"


def _last_run(command: str) -> tuple[bool, str]:
    last = JobRun.objects.filter(name=command).first()
    if last is None:
        return False, f"never: the timer runs `{command}` every minute once it is deployed"
    seconds = int((timezone.now() - last.finished_at).total_seconds())
    return seconds < LATE.total_seconds(), f"{seconds} s ago"


check("last delivery", needs_database=True)(partial(_last_run, outbox.JOB))
check("last figures update", needs_database=True)(partial(_last_run, rollup.JOB))


@check("last erasure", needs_database=True)
def _last_erasure() -> tuple[bool, str]:
    last = JobRun.objects.filter(name=retention.JOB, finished_at__gt=timezone.now() - ERASURE_LATE).first()
    oldest = timezone.localdate() - timedelta(settings.RETENTION_DAYS) - ERASURE_LATE
    overdue = Submission.objects.filter(local_date__lt=oldest, erased_at=None).count()
    when = f"at {last.finished_at:%Y-%m-%d %H:%M} UTC" if last else "not in the last two days"
    return not overdue, f"{when}; {overdue} submissions are overdue, RETENTION_DAYS={settings.RETENTION_DAYS}"
