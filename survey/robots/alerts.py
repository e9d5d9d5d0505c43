"""Queue the alerts of robots: at a low score, in its transaction, and when one stays open past its due time."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from survey.mail import delivery
from survey.mail.delivery import QueueState
from survey.models import FollowUpStatus, Robot, RobotMessage, Submission

logger = logging.getLogger(__name__)

BATCH = 100  # cases escalated by one run
LATEST = timedelta(days=7)  # after the due time; what is older is history, and bounds what each run reads


def queue_alerts(submission: Submission) -> None:
    """Queue the messages of a low score to the robots of its branch and of head office, in one statement."""
    if not submission.is_low:
        return
    kind, status = RobotMessage.Kind.ALERT.value, RobotMessage.Status.QUEUED.value
    with connection.cursor() as cursor:
        now = cursor.db.ops.adapt_datetimefield_value(timezone.now())
        cursor.execute(QUEUE_ALERTS, [submission.pk, kind, status, now, now, submission.branch_id])


# Written in SQL: models that read the robots and build the messages take more CPU than storing the submission does.
QUEUE_ALERTS = """
INSERT INTO survey_robotmessage
    (robot_id, submission_id, kind, status, attempts, next_attempt_at, last_error, created_at)
SELECT id, %s, %s, %s, 0, %s, '', %s
FROM survey_robot
WHERE is_active = 1 AND gets_every_alert = 1 AND (branch_id IS NULL OR branch_id = %s)
"""


def escalate() -> int:
    """Queue a message to head office's robots for each low score that is open past its due time, once.

    Any number of timers may run at once. A robot gets the cases that came in after it was added. Return how many cases
    were escalated.
    """
    robots = list(Robot.objects.filter(branch=None, is_active=True))
    if not robots:
        return 0
    overdue = _overdue().filter(created_at__gte=min(robot.created_at for robot in robots))
    escalated = 0
    for submission in overdue.only("pk", "created_at").order_by("created_at")[:BATCH]:
        with transaction.atomic():
            # The update settles which of several timers queues the messages.
            if not _overdue().filter(pk=submission.pk).update(escalated_at=timezone.now()):
                continue
            RobotMessage.objects.bulk_create(
                RobotMessage(robot=robot, submission=submission, kind=RobotMessage.Kind.ESCALATION)
                for robot in robots
                if robot.created_at <= submission.created_at
            )
        escalated += 1
        logger.info("robots.escalated", extra={"submission": submission.pk})
    return escalated


def _overdue() -> QuerySet[Submission]:
    """Return the low scores that are open past their due time and not escalated yet."""
    now = timezone.now()
    is_overdue = Q(follow_up_due_at__lt=now)
    long_ago = now - timedelta(hours=settings.FOLLOW_UP_HOURS)
    if settings.FOLLOW_UP_HOURS:  # the release before stores no due time
        is_overdue |= Q(follow_up_due_at=None, created_at__lt=long_ago)
    is_open = Q(follow_up_status=FollowUpStatus.OPEN, escalated_at=None, erased_at=None)
    is_open &= Q(local_date__gte=timezone.localdate(long_ago - LATEST))
    return Submission.objects.filter(is_open, is_overdue)


def queue_state() -> QueueState:
    """Return the present state of the robots' queue, without tests."""
    return delivery.queue_state(_wanted())


def given_up() -> QuerySet[RobotMessage]:
    """Return the messages that were given up, without tests."""
    return _wanted().filter(status=RobotMessage.Status.FAILED)


def _wanted() -> QuerySet[RobotMessage]:
    return RobotMessage.objects.exclude(kind=RobotMessage.Kind.TEST)
