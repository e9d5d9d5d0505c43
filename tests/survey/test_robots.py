"""Robots report low scores in the groups where staff are: at least once, to the right place, and nothing personal."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from datetime import time as clock_time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from mydjango.operations import environment
from survey.guest import services
from survey.jobs.retention import erase
from survey.mail import delivery as queue
from survey.models import Branch, FollowUpStatus, JobRun, Robot, RobotMessage, Submission
from survey.robots import addresses, alerts, delivery
from survey.robots.addresses import WebhookError
from tests.support import smtp
from tests.support.robots import DINGTALK, FEISHU, WECOM, Groups, RobotServer

QUEUED, SENT, FAILED = RobotMessage.Status.QUEUED, RobotMessage.Status.SENT, RobotMessage.Status.FAILED
SERVICES = (WECOM, DINGTALK, FEISHU)
TOKEN = "3c9d8f52-0b1e-4c56-9f3a-token-of-{}"


@pytest.fixture
def groups() -> Groups:
    return Groups()


@pytest.fixture
def server(groups: Groups, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[RobotServer]:
    """A server of robots, named by the setting and trusted by its authority."""
    with RobotServer(groups, tmp_path) as running:
        settings.ROBOT_HOSTS = [("127.0.0.1", running.port)]
        settings.PUBLIC_URL = "https://survey.example.com"
        monkeypatch.setenv("SSL_CERT_FILE", str(running.authority))
        yield running


@pytest.fixture
def branch() -> Branch:
    return Branch.objects.create(code="north", name="北店")


def robot_in(server: RobotServer, service: str = WECOM, branch: Branch | None = None, **fields: Any) -> Robot:
    """Add a robot, and its group on the server."""
    token = TOKEN.format(f"{service}-{Robot.objects.count()}")
    server.groups.texts[token] = []
    if secret := fields.get("secret"):
        server.groups.secrets[token] = secret
    given = {"name": "店长群", "webhook": server.webhook(service, token), **fields}
    return Robot.objects.create(service=service, branch=branch, **given)


def read_in(server: RobotServer, robot: Robot) -> list[str]:
    """Return what the robot's group has read."""
    return next(texts for token, texts in server.groups.texts.items() if robot.webhook.endswith(token))


def token_of(robot: Robot) -> str:
    return robot.webhook.rpartition("=" if "=" in robot.webhook else "/")[2]


def submit(branch: Branch | None = None, satisfaction: int = 1, **fields: Any) -> Submission:
    given = {"name": "王芳", "phone": "13800138000", "comment": "服务员骂人", "email": "", **fields}
    submission = Submission(branch=branch, satisfaction=satisfaction, language="en", **given)
    return services.submission_create(submission, content={}).submission


def drain(seconds: float = 60) -> str:
    output = StringIO()
    call_command("drain_outbox", seconds=seconds, stdout=output)
    return output.getvalue()


def deliver_in_a_thread(_number: int = 0) -> queue.DeliveryReport:
    try:
        return delivery.deliver(30)
    finally:
        connection.close()


@pytest.mark.django_db
class TestAMessage:
    @pytest.mark.parametrize("secret", ["", "SEC0d1f2e3a"])
    @pytest.mark.parametrize("service", SERVICES)
    def test_each_service_accepts_it_signed_where_the_robot_has_a_secret(
        self, server: RobotServer, branch: Branch, service: str, secret: str
    ) -> None:
        robot = robot_in(server, service, branch, secret=secret if service != WECOM else "")
        submission = submit(branch, problems=4, table_number="A12")
        assert delivery.deliver(10) == queue.DeliveryReport(sent=1)
        [text] = read_in(server, robot)
        assert text.splitlines() == [
            "有顾客不满意",
            "门店： 北店",
            "桌号或单号： A12",
            "满意度： 很不满意",
            "- 菜凉了",
            f"收到时间： {timezone.localtime(submission.created_at):%Y-%m-%d %H:%M}",
            f"回执编号： {submission.reference}",
            f"https://survey.example.com/dashboard/responses/{submission.reference}/",
        ]

    def test_it_holds_no_personal_data_and_the_log_no_secret(
        self, server: RobotServer, branch: Branch, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        robot = robot_in(server, DINGTALK, branch, secret="SECverysecret")
        submit(branch, email="wang@example.com")
        delivery.deliver(10)
        assert str(server.groups.bodies).count("回执编号") == 1
        for word in ("王芳", "13800138000", "骂人", "wang@example.com"):
            assert word not in str(server.groups.bodies)
        server.groups.secrets[token_of(robot)] = "another"
        submit(branch)
        delivery.deliver(10)
        logged = str([vars(record) for record in caplog.records]) + caplog.text
        stored = str(list(RobotMessage.objects.values()))
        assert "robots.not_sent" in logged
        assert "310000" in stored
        for secret in (robot.secret, token_of(robot)):
            assert secret not in logged
            assert secret not in stored

    def test_a_low_score_reaches_the_robots_of_its_branch_and_of_head_office(
        self, server: RobotServer, branch: Branch
    ) -> None:
        other = Branch.objects.create(code="south", name="南店")
        robots = {
            "branch": robot_in(server, branch=branch),
            "second": robot_in(server, FEISHU, branch),
            "other": robot_in(server, branch=other),
            "chain": robot_in(server, DINGTALK),
            "escalations": robot_in(server, gets_every_alert=False),
            "off": robot_in(server, branch=branch, is_active=False),
        }
        submit(branch)
        submit(None)
        submit(branch, satisfaction=3)
        delivery.deliver(10)
        assert {name: len(read_in(server, robot)) for name, robot in robots.items()} == {
            "branch": 1,
            "second": 1,
            "other": 0,
            "chain": 2,
            "escalations": 0,
            "off": 0,
        }

    def test_a_submission_that_is_not_stored_leaves_no_message(self, server: RobotServer, branch: Branch) -> None:
        robot_in(server, branch=branch)
        with pytest.raises(TypeError):
            services.submission_create(
                Submission(branch=branch, satisfaction=1, language="en"),
                content={},
                address=object(),  # type: ignore[arg-type]
            )
        assert not RobotMessage.objects.exists()

    def test_an_erased_submission_and_a_robot_that_was_switched_off_get_none(
        self, server: RobotServer, branch: Branch
    ) -> None:
        robot = robot_in(server, branch=branch)
        erase(Submission.objects.filter(pk=submit(branch).pk))
        assert not RobotMessage.objects.exists()
        late = RobotMessage.objects.create(robot=robot, submission=Submission.objects.get(), kind="alert")
        assert delivery.deliver(10) == queue.DeliveryReport(deleted=1)
        submit(branch)
        Robot.objects.update(is_active=False)
        assert delivery.deliver(10) == queue.DeliveryReport(deleted=1)
        assert not RobotMessage.objects.filter(pk=late.pk).exists()
        assert read_in(server, robot) == []


@pytest.mark.django_db
class TestFailures:
    @pytest.mark.parametrize(
        ("behaviour", "error"),
        [
            ("hang", "TimeoutError"),
            ("drip", "TimeoutError"),
            ("redirect", "HTTP 302: a redirect, which is not followed."),
            ("html", "HTTP 502 without a JSON object."),
            ("error", "HTTP 500"),
            ("empty", "None:  (HTTP 200)"),
        ],
    )
    def test_a_robot_that_fails_is_retried_and_stops_no_other(
        self, server: RobotServer, branch: Branch, monkeypatch: pytest.MonkeyPatch, behaviour: str, error: str
    ) -> None:
        monkeypatch.setattr(delivery, "MESSAGE_SECONDS", 0.5)
        failing, working = robot_in(server, branch=branch), robot_in(server, FEISHU, branch)
        server.groups.misbehaving[token_of(failing)] = behaviour
        submit(branch)
        submit(branch)
        begun = time.monotonic()
        assert delivery.deliver(10) == queue.DeliveryReport(sent=2, retried=1, waiting=2)
        assert time.monotonic() - begun < 5
        assert len(read_in(server, working)) == 2
        first, second = RobotMessage.objects.filter(robot=failing).order_by("id")
        assert error in first.last_error
        assert (first.attempts, first.status, first.claimed_until) == (1, QUEUED, None)
        assert first.next_attempt_at > timezone.now() + timedelta(seconds=40)
        assert second.attempts == 0  # a robot that failed is left alone for the rest of the run
        server.groups.misbehaving.clear()
        RobotMessage.objects.update(next_attempt_at=timezone.now())
        assert delivery.deliver(10).sent == 2
        assert len(read_in(server, failing)) == 2
        assert not any("elsewhere" in path for path in server.groups.requests)

    def test_after_its_attempts_a_message_is_given_up_visibly_and_can_be_queued_again(
        self, server: RobotServer, branch: Branch, settings: Any
    ) -> None:
        settings.MAIL_ATTEMPTS = 2
        robot = robot_in(server, branch=branch)
        texts = server.groups.texts.pop(token_of(robot))
        submit(branch)
        for _attempt in range(3):
            RobotMessage.objects.update(next_attempt_at=timezone.now())
            delivery.deliver(10)
        message = RobotMessage.objects.get()
        assert (message.status, message.attempts) == (FAILED, 2)
        assert message.last_error == "93000: token is not exist (HTTP 200)"
        assert len(server.groups.requests) == 2
        assert list(alerts.given_up()) == [message]
        output = StringIO()
        with pytest.raises(CommandError):
            call_command("doctor", stdout=output)
        assert "queue of robots" in output.getvalue()
        assert "0 queued, 1 given up" in output.getvalue()
        server.groups.texts[token_of(robot)] = texts
        assert queue.requeue(alerts.given_up()) == 1
        assert delivery.deliver(10).sent == 1

    @pytest.mark.parametrize(("service", "minutes"), [(WECOM, 1), (DINGTALK, 10), (FEISHU, 1)])
    def test_a_rate_limit_puts_off_all_messages_of_the_robot_and_costs_no_attempt(
        self, server: RobotServer, branch: Branch, settings: Any, service: str, minutes: int
    ) -> None:
        settings.MAIL_ATTEMPTS = 1
        robot, other = robot_in(server, service, branch), robot_in(server, branch=branch)
        server.groups.limit = 2
        for _number in range(4):
            submit(branch)
        RobotMessage.objects.filter(robot=other).exclude(pk=RobotMessage.objects.filter(robot=other)[0].pk).delete()
        assert delivery.deliver(10) == queue.DeliveryReport(sent=3, retried=1, waiting=2)
        assert len(server.groups.requests) == 4
        waiting = RobotMessage.objects.filter(status=QUEUED)
        assert {message.attempts for message in waiting} == {0}
        soonest = timezone.now() + timedelta(minutes=minutes, seconds=-5)
        assert all(message.next_attempt_at > soonest for message in waiting)
        server.groups.counts.clear()
        RobotMessage.objects.update(next_attempt_at=timezone.now())
        assert delivery.deliver(10).sent == 2
        assert len(read_in(server, robot)) == 4

    def test_a_robot_sends_no_more_in_a_minute_than_its_service_allows(
        self, server: RobotServer, branch: Branch
    ) -> None:
        robot, other = robot_in(server, DINGTALK, branch), robot_in(server)
        for _number in range(23):
            submit(branch)
        RobotMessage.objects.filter(robot=other, pk__gt=RobotMessage.objects.filter(robot=other).last().pk).delete()  # type: ignore[union-attr]
        RobotMessage.objects.update(next_attempt_at=timezone.now())
        assert delivery.deliver(60).sent == 21
        assert delivery.deliver(60).sent == 0
        RobotMessage.objects.filter(status=SENT).update(sent_at=timezone.now() - timedelta(seconds=61))
        server.groups.counts.clear()
        assert delivery.deliver(60).sent == 3
        assert len(read_in(server, robot)) == 23

    def test_a_killed_run_counts_and_its_message_is_sent_again(self, server: RobotServer, branch: Branch) -> None:
        robot_in(server, branch=branch)
        submit(branch)
        # As a run leaves it that is killed after its claim.
        claimed = queue.claim(RobotMessage.objects.all, 5, queue.DeliveryReport())
        assert claimed is not None
        assert delivery.deliver(10) == queue.DeliveryReport(waiting=1)
        message = RobotMessage.objects.get()
        assert (message.attempts, message.last_error) == (1, queue.UNFINISHED)
        RobotMessage.objects.update(claimed_until=timezone.now(), next_attempt_at=timezone.now())
        assert delivery.deliver(10) == queue.DeliveryReport(sent=1)

    def test_robots_that_hang_leave_the_mails_their_time(
        self, server: RobotServer, branch: Branch, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        box = smtp.Mailbox()
        controller = smtp.start(box)
        settings.EMAIL_BACKEND = "mydjango.operations.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
        settings.EMAIL_USE_SSL = settings.EMAIL_USE_TLS = False
        settings.EMAIL_SECONDS = 1
        monkeypatch.setattr(delivery, "MESSAGE_SECONDS", 0.2)
        monkeypatch.setattr(delivery, "RUN_SECONDS", 0.5)
        for _number in range(5):
            server.groups.misbehaving[token_of(robot_in(server, branch=branch))] = "hang"
        submit(branch, email="guest@example.com")
        output = drain(4)
        controller.stop()
        assert "sent 1, to be retried 0" in output
        assert "robots: sent 0" in output
        assert box.recipients == ["guest@example.com"]

    def test_without_a_mail_server_alerts_are_sent(self, server: RobotServer, branch: Branch, settings: Any) -> None:
        settings.SENDS_MAIL = False
        robot = robot_in(server, branch=branch)
        submit(branch)
        drain()
        assert len(read_in(server, robot)) == 1


@pytest.mark.django_db(transaction=True)
def test_overlapping_runs_send_each_message_once(server: RobotServer, branch: Branch) -> None:
    robot = robot_in(server, branch=branch)
    for _number in range(8):
        submit(branch)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(deliver_in_a_thread, range(4)))
    assert sum(report.sent for report in reports) == len(read_in(server, robot)) == 8
    assert len(set(read_in(server, robot))) == 8


@pytest.mark.django_db
class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
            "https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key=1",
            "https://qyapi.weixin.qq.com@evil.example/x",
            "https://evil.example/cgi-bin/webhook/send?key=1",
            "https://qyapi.weixin.qq.com.evil.example/x",
            "https://evil.example\\@qyapi.weixin.qq.com/x",
            "https://127.0.0.1/x",
            "https://169.254.0.23/latest/meta-data",
            "https://metadata.tencentyun.com/latest/",
            "https://qyapi.weixin.qq.com/",
            "https://qyapi.weixin.qq.com/x\r\nHost: evil.example",
            "https://qyapi.weixin.qq.com/x#y",
            "https://[::1/x",
            "https://qyapi.weixin.qq.com:port/x",
            "file:///etc/passwd",
            "",
        ],
    )
    def test_other_addresses_are_refused(self, url: str) -> None:
        with pytest.raises(WebhookError):
            addresses.host_of(url)

    @pytest.mark.parametrize(
        "url",
        [
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
            "https://oapi.dingtalk.com/robot/send?access_token=1",
            "https://open.feishu.cn:443/open-apis/bot/v2/hook/1",
        ],
    )
    def test_those_of_the_services_are_not(self, url: str) -> None:
        assert addresses.host_of(url)[1] == 443

    @pytest.mark.parametrize(
        "address",
        ["10.0.0.5", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.0.23", "100.64.0.1", "0.0.0.0", "224.0.0.1"],
    )
    def test_a_name_that_leads_into_the_private_network_is_refused_when_it_is_sent_to(
        self,
        server: RobotServer,
        branch: Branch,
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
        address: str,
    ) -> None:
        """The name is checked at each delivery: what it led to when it was typed says nothing."""
        settings.ROBOT_HOSTS = [("robots.example.com", server.port)]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments: found)
        robot = robot_in(server, branch=branch)
        Robot.objects.update(webhook=robot.webhook.replace("127.0.0.1", "robots.example.com"))
        submit(branch)
        assert delivery.deliver(10) == queue.DeliveryReport(retried=1, waiting=1)
        assert RobotMessage.objects.get().last_error == "robots.example.com is in a private network."
        assert server.groups.requests == []

    def test_the_connection_goes_to_the_address_that_was_examined(
        self, server: RobotServer, branch: Branch, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A second look-up, which may give another address, does not happen."""
        settings.ROBOT_HOSTS = [("robots.example.com", 443)]
        look_ups, connections = [], []

        def look_up(host: str, *_arguments: Any) -> Any:
            look_ups.append(host)
            address = "203.0.113.7" if len(look_ups) > 1 else "8.8.8.8"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

        def connect(address: Any, *_arguments: Any, **_options: Any) -> Any:
            connections.append(address)
            raise ConnectionRefusedError(111, "Connection refused")

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        monkeypatch.setattr(socket, "create_connection", connect)
        Robot.objects.create(name="x", branch=branch, service=WECOM, webhook="https://robots.example.com/x?key=1")
        submit(branch)
        assert delivery.deliver(10).retried == 1
        assert (look_ups, connections) == (["robots.example.com"], [("8.8.8.8", 443)])
        assert RobotMessage.objects.get().last_error == "ConnectionRefusedError: Connection refused"

    def test_a_server_that_our_authorities_do_not_know_is_refused(
        self, server: RobotServer, branch: Branch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority.with_name("other.pem")))
        robot_in(server, branch=branch)
        submit(branch)
        assert delivery.deliver(10).retried == 1
        assert "SSLCertVerificationError" in RobotMessage.objects.get().last_error
        assert server.groups.requests == []

    def test_an_address_that_the_setting_no_longer_names_is_refused(
        self, server: RobotServer, branch: Branch, settings: Any
    ) -> None:
        robot_in(server, branch=branch)
        settings.ROBOT_HOSTS = []
        submit(branch)
        delivery.deliver(10)
        assert "127.0.0.1" in RobotMessage.objects.get().last_error
        assert server.groups.requests == []


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ("", []),
        ("robots.example.com", [("robots.example.com", 443)]),
        ("a.example, 10.0.0.5:8443", [("a.example", 443), ("10.0.0.5", 8443)]),
        ("https://a.example", None),
        ("a.example/x", None),
        ("a.example:x", None),
    ],
)
def test_the_setting_names_hosts_and_ports(monkeypatch: pytest.MonkeyPatch, value: str, hosts: Any) -> None:
    from mydjango import settings

    monkeypatch.setattr(environment, "text", lambda *_names: value)
    if hosts is not None:
        assert settings._robot_hosts() == hosts
    else:
        with pytest.raises(ImproperlyConfigured):
            settings._robot_hosts()


def at(hour: int, minute: int = 0) -> datetime:
    return timezone.make_aware(datetime(2026, 11, 22, hour, minute))


@pytest.mark.django_db
class TestQuietHours:
    @pytest.mark.parametrize(
        ("begins", "ends", "quiet", "loud"),
        [
            ((22, 0), (8, 30), [(22, 0), (23, 59), (0, 0), (8, 29)], [(8, 30), (12, 0), (21, 59)]),
            ((14, 0), (16, 0), [(14, 0), (15, 59)], [(13, 59), (16, 0), (0, 0)]),
        ],
    )
    def test_they_may_pass_midnight(self, begins: Any, ends: Any, quiet: Any, loud: Any) -> None:
        robot = Robot(quiet_from=clock_time(*begins), quiet_until=clock_time(*ends))
        for moment in quiet:
            until = robot.end_of_quiet(at(*moment))
            assert until is not None
            assert timedelta(0) < until - at(*moment) <= timedelta(hours=10.5)
            assert (until.hour, until.minute) == ends
        assert not any(robot.end_of_quiet(at(*moment)) for moment in loud)
        assert Robot().end_of_quiet(at(3)) is None

    def test_alerts_wait_until_they_end_and_are_not_lost(
        self, server: RobotServer, branch: Branch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        night = {"quiet_from": clock_time(22), "quiet_until": clock_time(8, 30)}
        quiet, loud = robot_in(server, branch=branch, **night), robot_in(server, FEISHU, branch)
        monkeypatch.setattr(timezone, "now", lambda: at(23))
        submit(branch)
        RobotMessage.objects.update(next_attempt_at=at(22, 59))
        assert delivery.deliver(10) == queue.DeliveryReport(sent=1, waiting=1)
        monkeypatch.setattr(timezone, "now", lambda: at(8, 29) + timedelta(days=1))
        assert delivery.deliver(10) == queue.DeliveryReport(waiting=1)
        assert alerts.queue_state() == (1, None, 0)  # nothing to worry about
        assert RobotMessage.objects.get(robot=quiet).attempts == 0
        monkeypatch.setattr(timezone, "now", lambda: at(8, 30) + timedelta(days=1))
        assert alerts.queue_state().due_since == timezone.now()
        assert delivery.deliver(10) == queue.DeliveryReport(sent=1)
        assert (len(read_in(server, quiet)), len(read_in(server, loud))) == (1, 1)


def long_open(branch: Branch | None, **fields: Any) -> Submission:
    """Store a low score that has been open past its due time."""
    submission = submit(branch, **fields)
    hours_ago = timezone.now() - timedelta(hours=30)
    Submission.objects.filter(pk=submission.pk).update(
        created_at=hours_ago, follow_up_due_at=hours_ago + timedelta(hours=24)
    )
    return submission


@pytest.mark.django_db
class TestEscalation:
    @pytest.fixture
    def chain_robot(self, server: RobotServer) -> Robot:
        """A robot of head office that gets no alerts, added long ago."""
        long_ago = timezone.now() - timedelta(days=9)
        return robot_in(server, DINGTALK, gets_every_alert=False, created_at=long_ago)

    def test_a_low_score_that_stays_open_is_reported_to_head_office_once(
        self, server: RobotServer, branch: Branch, chain_robot: Robot
    ) -> None:
        local = robot_in(server, branch=branch, created_at=chain_robot.created_at)
        submission = long_open(branch)
        submit(branch)  # in time
        for _run in range(3):
            drain()
        [text] = read_in(server, chain_robot)
        assert text.startswith("有低分反馈未按时跟进\n门店： 北店\n")
        assert submission.reference in text
        assert len(read_in(server, local)) == 2
        submission.refresh_from_db()
        assert submission.escalated_at is not None

    def test_what_somebody_took_care_of_or_erased_is_not_escalated(
        self, server: RobotServer, branch: Branch, chain_robot: Robot
    ) -> None:
        for status in (FollowUpStatus.CONTACTED, FollowUpStatus.SOLVED):
            Submission.objects.filter(pk=long_open(branch).pk).update(follow_up_status=status)
        erase(Submission.objects.filter(pk=long_open(branch).pk))
        assert alerts.escalate() == 0
        long_open(branch)
        assert alerts.escalate() == 1
        Submission.objects.update(follow_up_status=FollowUpStatus.CONTACTED)  # while the message waited
        assert delivery.deliver(10) == queue.DeliveryReport(deleted=1)
        assert read_in(server, chain_robot) == []

    def test_without_a_robot_of_head_office_it_waits_for_one_and_a_new_one_gets_no_old_cases(
        self, server: RobotServer, branch: Branch
    ) -> None:
        long_open(branch)
        assert alerts.escalate() == 0
        robot_in(server)
        assert alerts.escalate() == 0
        assert not Submission.objects.exclude(escalated_at=None).exists()

    def test_a_case_of_long_ago_is_history(self, branch: Branch, chain_robot: Robot) -> None:
        long_open(branch)
        Submission.objects.update(local_date=timezone.localdate() - timedelta(days=9))
        assert alerts.escalate() == 0

    def test_a_submission_of_the_release_before_has_no_due_time_and_is_escalated(
        self, branch: Branch, chain_robot: Robot, settings: Any
    ) -> None:
        long_open(branch)
        Submission.objects.update(follow_up_due_at=None)
        settings.FOLLOW_UP_HOURS = 0
        assert alerts.escalate() == 0
        settings.FOLLOW_UP_HOURS = 24
        assert alerts.escalate() == 1


@pytest.mark.django_db(transaction=True)
def test_overlapping_timers_escalate_once(server: RobotServer, branch: Branch) -> None:
    robot_in(server, created_at=timezone.now() - timedelta(days=9), gets_every_alert=False)
    for _number in range(5):
        long_open(branch)

    def escalate(_number: int) -> int:
        try:
            return alerts.escalate()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(escalate, range(4))) == 5
    assert RobotMessage.objects.filter(kind="escalation").count() == 5


@pytest.mark.django_db
def test_a_run_is_recorded_and_its_queues_are_logged(server: RobotServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    drain()
    assert JobRun.objects.filter(name="drain_outbox").exists()
    assert [record.getMessage() for record in caplog.records if record.getMessage().endswith(".state")] == [
        "outbox.state",
        "robots.state",
    ]
