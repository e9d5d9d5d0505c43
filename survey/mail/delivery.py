"""The mechanism of the queues, of mails and of robots' messages alike: claims, retries, dead letters.

A delivery run claims one message after the other, so any number of runs may overlap. A message that fails is retried
later; after MAIL_ATTEMPTS it is a dead letter, kept with its error until somebody queues it again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from django.conf import settings
from django.db import connection
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from survey.models import Outgoing

Message = TypeVar("Message", bound=Outgoing)

# A claim outlasts its run by this: clocks differ, and the outcome may be saved only after the database came back.
CLAIM_RESERVE = timedelta(minutes=1)
ERROR_LENGTH = 1_000  # characters of an error that are stored
UNFINISHED = "Unfinished: the process ended, or lost the database, while it sent this message."
FIRST_DELAY = timedelta(minutes=1)  # doubles with every attempt
LONGEST_DELAY = timedelta(hours=4)
JITTER = 0.2  # of the delay, either way, so that messages that failed together are not retried together


@dataclass
class DeliveryReport:
    """Number of messages that a delivery run sent, put off, gave up, deleted unsent, and left in the queue."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    deleted: int = 0
    waiting: int = 0


class QueueState(NamedTuple):
    """Number of queued messages, when the oldest due one became due, and number of messages given up."""

    queued: int
    due_since: datetime | None
    failed: int


def due(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Return those of the messages that are due and not claimed."""
    now = timezone.now()
    return messages.filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now), status=Outgoing.Status.QUEUED, next_attempt_at__lte=now
    )


def claim(messages: Callable[[], QuerySet[Message]], seconds: float, report: DeliveryReport) -> Message | None:
    """Claim the next due one of the messages for `seconds` and count the attempt. Return None when none is due.

    The claim is committed before the message is sent, so it outlives the process and its database connection: a message
    that kills every run, or takes longer than the connection lasts, is still put off and finally given up. A row lock
    would be lost with either, and the attempt with it.
    """
    while (message := due(messages()).order_by("next_attempt_at", "id").first()) is not None:
        now = timezone.now()
        unclaimed = due(messages()).filter(pk=message.pk, attempts=message.attempts)  # unless another run was quicker
        if message.attempts >= settings.MAIL_ATTEMPTS:
            report.failed += unclaimed.update(status=Outgoing.Status.FAILED)
            continue
        message.attempts += 1
        if unclaimed.update(
            attempts=message.attempts,
            next_attempt_at=now + delay_after(message.attempts),
            claimed_until=now + timedelta(seconds=seconds) + CLAIM_RESERVE,
            last_error=UNFINISHED,
        ):
            return message
    return None


def save_sent(message: Outgoing, report: DeliveryReport, **changes: object) -> None:
    """Save that a claimed message was sent."""
    _save_outcome(message, status=Outgoing.Status.SENT, sent_at=timezone.now(), last_error="", **changes)
    report.sent += 1


def save_failed(message: Outgoing, error: str, report: DeliveryReport, *, is_permanent: bool) -> bool:
    """Save the error of a claimed message. Return whether the message is given up, not retried."""
    given_up = is_permanent or message.attempts >= settings.MAIL_ATTEMPTS
    # backslashreplace: a reply may hold half a character, which no database stores.
    error = error.encode(errors="backslashreplace").decode()[:ERROR_LENGTH]
    if given_up:
        _save_outcome(message, status=Outgoing.Status.FAILED, last_error=error)
        report.failed += 1
    else:
        _save_outcome(message, next_attempt_at=timezone.now() + delay_after(message.attempts), last_error=error)
        report.retried += 1
    return given_up


def save_put_off(message: Outgoing, error: str, report: DeliveryReport, pause: timedelta) -> None:
    """Save that a claimed message was refused for a while, which does not count as an attempt."""
    next_attempt_at = timezone.now() + pause
    _save_outcome(message, attempts=message.attempts - 1, next_attempt_at=next_attempt_at, last_error=error)
    report.retried += 1


def _save_outcome(message: Outgoing, **outcome: object) -> None:
    """Save the outcome and end the claim."""
    # The server may have closed the connection while the message was sent (MYSQL_WAIT_TIMEOUT).
    if connection.connection is not None and not connection.is_usable():
        connection.close()
    # save() would insert a message again that was erased meanwhile.
    type(message)._default_manager.filter(pk=message.pk).update(claimed_until=None, **outcome)


def delay_after(attempts: int) -> timedelta:
    """Return the pause after the given number of failed attempts, with jitter."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_DELAY * doubled, LONGEST_DELAY) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311


def requeue(messages: QuerySet[Message]) -> int:
    """Queue messages again that were given up or put off, not those that were sent. Return their number."""
    return messages.exclude(status=Outgoing.Status.SENT).update(
        status=Outgoing.Status.QUEUED, attempts=0, next_attempt_at=timezone.now()
    )


def queue_state(messages: QuerySet[Message]) -> QueueState:
    """Return the present state of a queue."""
    queued = messages.filter(status=Outgoing.Status.QUEUED)
    overdue = queued.filter(next_attempt_at__lte=timezone.now())
    return QueueState(
        queued=queued.count(),
        due_since=overdue.aggregate(oldest=Min("next_attempt_at"))["oldest"],
        failed=messages.filter(status=Outgoing.Status.FAILED).count(),
    )
