"""Head office adds robots, tests them and sees what was given up; what gives access to a group is never shown again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from survey.models import Robot, RobotMessage
from tests.support.chain import Chain, make_chain, make_submission
from tests.support.robots import DINGTALK, WECOM, Groups, RobotServer

pytestmark = pytest.mark.django_db

KEY = "693a91f6-7aoc-4bc4-97a0-0ec2sifa5aaa"
WEBHOOK = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"
OTHER = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef"
SECRET = "SEC000000000000000000000"
GIVEN = {"name": "店长群", "service": WECOM, "webhook": WEBHOOK, "gets_every_alert": "on", "is_active": "on"}


@pytest.fixture
def chain() -> Chain:
    return make_chain()


@pytest.fixture
def head(client: Client, chain: Chain) -> Client:
    """A browser in which head office is logged in."""
    client.force_login(chain.head)
    return client


@pytest.fixture
def server(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[RobotServer]:
    with RobotServer(Groups(), tmp_path) as running:
        settings.ROBOT_HOSTS = [("127.0.0.1", running.port)]
        monkeypatch.setenv("SSL_CERT_FILE", str(running.authority))
        yield running


def post(client: Client, path: str, **values: str) -> Any:
    return client.post(path, values, headers={"accept-language": "en"})


def page_of(client: Client, path: str, language: str = "en") -> str:
    return client.get(path, headers={"accept-language": language}).content.decode()


def test_head_office_adds_a_robot_of_a_branch_or_of_its_own(head: Client, chain: Chain) -> None:
    assert "No robots yet" in page_of(head, "/dashboard/robots/")
    night = {"quiet_from": "22:00", "quiet_until": "08:30"}
    assert post(head, "/dashboard/robots/add/", **GIVEN, branch=str(chain.north.pk), **night).status_code == 302
    assert post(head, "/dashboard/robots/add/", **GIVEN | {"name": "总部群", "gets_every_alert": ""}).status_code == 302
    local, chain_robot = Robot.objects.order_by("pk")
    assert (local.branch, local.webhook, local.gets_every_alert) == (chain.north, WEBHOOK, True)
    assert (chain_robot.branch, chain_robot.gets_every_alert) == (None, False)
    page = page_of(head, "/dashboard/robots/")
    for text in ("店长群", "总部群", "North", "Head office", "22:00 – 08:30", "qyapi.weixin.qq.com/…5aaa", "WeCom"):
        assert text in page
    assert "企业微信" in page_of(head, "/dashboard/robots/", "zh-CN")


def test_address_and_secret_are_never_shown_again(head: Client) -> None:
    robot = Robot.objects.create(name="x", service=DINGTALK, webhook=OTHER, secret=SECRET)
    for page in (
        page_of(head, "/dashboard/robots/"),
        page_of(head, f"/dashboard/robots/{robot.pk}/"),
        post(head, f"/dashboard/robots/{robot.pk}/", name="", webhook=WEBHOOK, secret="SECanother").content.decode(),
        post(head, "/dashboard/robots/add/", **GIVEN | {"name": "", "secret": "SECanother"}).content.decode(),
    ):
        for secret in (SECRET, KEY, "0123456789", "SECanother"):
            assert secret not in page


@pytest.mark.parametrize(
    ("webhook", "secret", "stored"),
    [
        ("", "", (OTHER, SECRET)),
        ("", "SECnew", (OTHER, "SECnew")),
        (OTHER + "0", "", (OTHER + "0", "")),
        (OTHER + "0", "SECnew", (OTHER + "0", "SECnew")),
    ],
)
def test_empty_fields_keep_them_and_a_new_address_takes_no_old_secret(
    head: Client, webhook: str, secret: str, stored: tuple[str, str]
) -> None:
    robot = Robot.objects.create(name="x", service=DINGTALK, webhook=OTHER, secret=SECRET)
    posted = {"name": "y", "service": DINGTALK, "webhook": webhook, "secret": secret, "is_active": "on"}
    assert post(head, f"/dashboard/robots/{robot.pk}/", **posted).status_code == 302
    robot.refresh_from_db()
    assert (robot.name, (robot.webhook, robot.secret)) == ("y", stored)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"webhook": ""}, "Please fill this in."),
        ({"webhook": "https://10.0.0.5/send?key=1"}, "Copy the address from the group"),
        ({"webhook": WEBHOOK.replace("https", "http")}, "Copy the address from the group"),
        ({"service": DINGTALK}, "The address belongs to another service."),
        ({"quiet_from": "22:00"}, "Quiet hours need a beginning and an end."),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "Quiet hours end at another time than they begin."),
    ],
)
def test_a_wrong_value_is_named(head: Client, values: dict[str, str], error: str) -> None:
    page = post(head, "/dashboard/robots/add/", **GIVEN | values)
    assert page.status_code == 400
    assert error in page.content.decode().replace("&#x27;", "'")
    assert not Robot.objects.exists()


def test_a_test_message_is_sent_at_once_and_its_outcome_shown(head: Client, server: RobotServer) -> None:
    server.groups.texts[KEY] = []
    robot = Robot.objects.create(name="店长群", service=WECOM, webhook=server.webhook(WECOM, KEY), is_active=False)
    done = head.post(f"/dashboard/robots/{robot.pk}/test/", follow=True, headers={"accept-language": "en"})
    assert "The service accepted the test message: look into the group of 店长群." in done.content.decode()
    assert server.groups.texts[KEY] == ["顾客反馈系统发给“店长群”的测试消息。低分提醒会发到这里。"]
    del server.groups.texts[KEY]
    for _again in range(2):
        done = head.post(f"/dashboard/robots/{robot.pk}/test/", follow=True, headers={"accept-language": "en"})
        assert "did not arrive. 93000: token is not exist (HTTP 200)" in done.content.decode()
    message = RobotMessage.objects.get()
    assert (message.kind, message.status) == ("test", RobotMessage.Status.FAILED)
    assert 'class="badge"' not in page_of(head, "/dashboard/robots/")  # nothing is lost


def test_what_was_given_up_is_on_every_page_of_head_office_and_can_be_sent_again(head: Client, chain: Chain) -> None:
    robot = Robot.objects.create(name="店长群", service=WECOM, webhook=WEBHOOK)
    failed = {"status": RobotMessage.Status.FAILED, "last_error": "93000: invalid webhook url", "attempts": 20}
    for _number in range(2):
        submission = make_submission(chain.north, 1)
        RobotMessage.objects.create(robot=robot, submission=submission, kind="alert", **failed)
    sent = make_submission(chain.north, 1)
    RobotMessage.objects.create(
        robot=robot, submission=sent, kind="alert", status=RobotMessage.Status.SENT, sent_at=timezone.now()
    )
    assert '<span class="badge">2<span class="visually-hidden"> given up' in page_of(head, "/dashboard/comments/")
    page = page_of(head, "/dashboard/robots/")
    for text in ("given up: 2", "93000: invalid webhook url", "last sent"):
        assert text in page
    done = head.post(f"/dashboard/robots/{robot.pk}/again/", follow=True, headers={"accept-language": "en"})
    assert "2 messages are queued again." in done.content.decode()
    assert "waiting: 2" in done.content.decode()
    head.force_login(chain.north_manager)
    assert "Robots" not in page_of(head, "/dashboard/comments/")


def test_a_change_of_quiet_hours_holds_for_messages_that_wait(head: Client, chain: Chain) -> None:
    robot = Robot.objects.create(name="店长群", service=WECOM, webhook=WEBHOOK)
    tomorrow = timezone.now() + timedelta(days=1)
    RobotMessage.objects.create(
        robot=robot, submission=make_submission(chain.north, 1), kind="alert", next_attempt_at=tomorrow
    )
    post(head, f"/dashboard/robots/{robot.pk}/", **GIVEN | {"webhook": ""})
    assert RobotMessage.objects.get().next_attempt_at <= timezone.now()


def test_the_list_takes_the_same_queries_for_many_robots(
    head: Client, chain: Chain, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        robot = Robot.objects.create(name=f"{number}", service=WECOM, webhook=WEBHOOK, branch=chain.north)
        RobotMessage.objects.create(
            robot=robot, kind="alert", submission=make_submission(chain.north, 1), last_error="x"
        )
    with django_assert_max_num_queries(14):
        page_of(head, "/dashboard/robots/")
