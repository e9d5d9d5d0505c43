"""Deliver the messages of robots: the promises and the mechanism of mail, over another protocol."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation

from survey.mail import delivery
from survey.mail.delivery import DeliveryReport
from survey.models import FollowUpStatus, Robot, RobotMessage
from survey.robots.addresses import WebhookError
from survey.robots.services import MESSAGES_PER_MINUTE, SERVICES, request_of
from survey.robots.webhook import Client

logger = logging.getLogger(__name__)

RUN_SECONDS = 10.0  # of a delivery run, before its mails; a robot that does not respond must leave time for those
MESSAGE_SECONDS = 5.0  # for one message
ERROR_TEXT_LENGTH = 200  # characters of a service's words


class _Refused(Exception):
    """Raised for a response with an error code."""

    def __init__(self, code: object, text: str, *, is_limit: bool) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.is_limit = code, is_limit


def deliver(seconds: float) -> DeliveryReport:
    """Send the messages that are due, oldest first, and start none with less than MESSAGE_SECONDS left but the first.

    Any number of deliveries may run at once. A robot that fails is left alone for the rest of the run.
    """
    begun = time.monotonic()
    report, client = DeliveryReport(), Client()
    _put_off_in_quiet_hours()
    sent = _sent_by_robot()
    skipped = {robot for robot, count in sent.items() if count >= MESSAGES_PER_MINUTE}
    while (message := delivery.claim(lambda: _messages(skipped), MESSAGE_SECONDS, report)) is not None:
        robot = message.robot_id
        if _is_unwanted(message):
            message.delete()
            report.deleted += 1
        elif _send(message, client, report):
            sent[robot] += 1
            if sent[robot] >= MESSAGES_PER_MINUTE:
                skipped.add(robot)
        else:
            skipped.add(robot)
        if time.monotonic() - begun > seconds - MESSAGE_SECONDS:
            break
    report.waiting = RobotMessage.objects.filter(status=RobotMessage.Status.QUEUED).count()
    return report


def send_test(robot: Robot) -> RobotMessage:
    """Send a test message now, whatever the hour, and return it with its outcome; it is not retried."""
    RobotMessage.objects.filter(robot=robot, kind=RobotMessage.Kind.TEST).delete()
    message = RobotMessage.objects.create(
        robot=robot,
        kind=RobotMessage.Kind.TEST,
        attempts=settings.MAIL_ATTEMPTS,
        claimed_until=timezone.now() + timedelta(seconds=MESSAGE_SECONDS) + delivery.CLAIM_RESERVE,
        last_error=delivery.UNFINISHED,
    )
    _send(message, Client(), DeliveryReport())
    message.refresh_from_db()
    return message


def _messages(skipped: Collection[int]) -> QuerySet[RobotMessage]:
    return RobotMessage.objects.exclude(robot__in=list(skipped)) if skipped else RobotMessage.objects.all()


def _put_off_in_quiet_hours() -> None:
    """Put off the messages that are due until the quiet hours of their robots end."""
    now = timezone.localtime()
    for robot in Robot.objects.exclude(quiet_from=None):
        if until := robot.end_of_quiet(now):
            delivery.due(RobotMessage.objects.filter(robot=robot)).update(next_attempt_at=until)


def _sent_by_robot() -> Counter[int]:
    """Return the number of messages of the last minute by robot."""
    latest = RobotMessage.objects.filter(sent_at__gt=timezone.now() - timedelta(minutes=1)).order_by()
    return Counter(dict(latest.values_list("robot").annotate(Count("pk"))))


def _is_unwanted(message: RobotMessage) -> bool:
    """Return whether the robot is not in use, the submission erased, or the case of an escalation not open any more."""
    submission = message.submission
    if not message.robot.is_active or (submission is not None and submission.erased_at is not None):
        return True
    is_escalation = message.kind == RobotMessage.Kind.ESCALATION
    return is_escalation and submission is not None and submission.follow_up_status != FollowUpStatus.OPEN


def _send(message: RobotMessage, client: Client, report: DeliveryReport) -> bool:
    """Send a claimed message and save the outcome; return whether it was sent. No exception stops the next one."""
    robot = message.robot
    try:
        url, body = request_of(robot, text_of(message), timezone.now())
        _raise_for_code(robot, *client.post(url, body, time.monotonic() + MESSAGE_SECONDS))
    except Exception as error:  # noqa: BLE001  (whatever a robot is set to or a server replies, the next one goes out)
        _record_failure(message, error, report)
        return False
    delivery.save_sent(message, report)
    logger.info("robots.sent", extra={"robot_message": message.pk, "robot": robot.pk, "attempts": message.attempts})
    return True


def text_of(message: RobotMessage) -> str:
    """Return the text: nothing that the guest wrote, neither name nor contact. It is read in a group, by a service."""
    submission = message.submission
    with translation.override(settings.LANGUAGE_CODE):
        link = ""
        if submission is not None and settings.PUBLIC_URL:
            link = f"{settings.PUBLIC_URL}/dashboard/responses/{submission.reference}/"
        context = {"submission": submission, "robot": message.robot, "link": link, "kind": message.kind}
        return render_to_string("robot/message.txt", context).strip()


def _raise_for_code(robot: Robot, status: int, reply: dict[str, Any]) -> None:
    """Raise _Refused unless the response says that the message was accepted."""
    service = SERVICES[Robot.Service(robot.service)]
    code = reply.get(service.code)
    if status == HTTPStatus.OK and code == 0:
        return
    text = f"{reply.get(service.message, '')} (HTTP {status})"
    raise _Refused(code, text, is_limit=status == HTTPStatus.TOO_MANY_REQUESTS or code in service.limits)


def _record_failure(message: RobotMessage, error: Exception, report: DeliveryReport) -> None:
    robot = message.robot
    text = _describe(error, robot)
    is_limit = isinstance(error, _Refused) and error.is_limit
    given_up = False
    if is_limit and message.kind != RobotMessage.Kind.TEST:
        pause = SERVICES[Robot.Service(robot.service)].pause
        delivery.save_put_off(message, text, report, pause)
        # The others of this robot too: each attempt would prolong the block.
        delivery.due(RobotMessage.objects.filter(robot=robot)).update(next_attempt_at=timezone.now() + pause)
    else:
        given_up = delivery.save_failed(message, text, report, is_permanent=False)
    # Without the error's text, which may quote the address.
    details: dict[str, object] = {
        "robot_message": message.pk,
        "robot": robot.pk,
        "attempts": message.attempts,
        "given_up": given_up,
    }
    details |= {"error": type(error).__name__, "code": getattr(error, "code", None)}
    logger.warning("robots.not_sent", extra=details)


def _describe(error: Exception, robot: Robot) -> str:
    """Return the text of an error for staff, without the address's path and query and without the secret."""
    if isinstance(error, OSError):
        return f"{type(error).__name__}: {error.strerror or error}"[:ERROR_TEXT_LENGTH]
    if not isinstance(error, _Refused | WebhookError):
        return type(error).__name__
    text = str(error)
    path = robot.webhook.split("/", 3)[-1]
    for part in (robot.webhook, path, path.rpartition("=")[2], path.rpartition("/")[2], robot.secret):
        if part:
            text = text.replace(part, "…")
    return text[:ERROR_TEXT_LENGTH]
