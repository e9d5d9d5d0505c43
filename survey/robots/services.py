"""How the robots of WeCom (企业微信), DingTalk (钉钉) and Feishu (飞书) take a message, and what they reply.

WeCom: https://developer.work.weixin.qq.com/document/path/91770
DingTalk: https://open.dingtalk.com/document/robots/custom-robot-access
Feishu: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot

Each replies 200 whatever comes of the message; a code in the body tells, 0 for success.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from survey.models import Robot


@dataclass(frozen=True)
class Service:
    """The host of a service's webhook addresses, the name of the code in a response, and what a limit looks like."""

    host: str
    code: str
    message: str
    limits: frozenset[int]  # codes of messages that come too fast
    pause: timedelta  # after one of them


SERVICES = {
    Robot.Service.WECOM: Service("qyapi.weixin.qq.com", "errcode", "errmsg", frozenset({45009}), timedelta(minutes=1)),
    # Robots that sent more than 20 messages in a minute are blocked for ten.
    Robot.Service.DINGTALK: Service(
        "oapi.dingtalk.com", "errcode", "errmsg", frozenset({130101, 90030}), timedelta(minutes=10)
    ),
    Robot.Service.FEISHU: Service("open.feishu.cn", "code", "msg", frozenset({9499, 11232}), timedelta(minutes=1)),
}
# Of WeCom and DingTalk; Feishu takes 100.
MESSAGES_PER_MINUTE = 20


def request_of(robot: Robot, text: str, now: datetime) -> tuple[str, dict[str, object]]:
    """Return the address and the JSON body with which a robot takes a text, signed where it has a secret."""
    if robot.service == Robot.Service.FEISHU:
        body: dict[str, object] = {"msg_type": "text", "content": {"text": text}}
        if robot.secret:
            seconds = str(int(now.timestamp()))
            body |= {"timestamp": seconds, "sign": _signature(key=f"{seconds}\n{robot.secret}", text="")}
        return robot.webhook, body
    url = robot.webhook
    if robot.service == Robot.Service.DINGTALK and robot.secret:
        milliseconds = str(int(now.timestamp() * 1000))
        sign = _signature(key=robot.secret, text=f"{milliseconds}\n{robot.secret}")
        url += ("&" if "?" in url else "?") + urlencode({"timestamp": milliseconds, "sign": sign})
    return url, {"msgtype": "text", "text": {"content": text}}


def _signature(*, key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
