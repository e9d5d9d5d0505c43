"""A real https server on loopback whose robots reply as those of WeCom, DingTalk and Feishu, or misbehave."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.certificates import certificates_in

WECOM, DINGTALK, FEISHU = "wecom", "dingtalk", "feishu"
PATHS = {
    WECOM: "/cgi-bin/webhook/send?key={}",
    DINGTALK: "/robot/send?access_token={}",
    FEISHU: "/open-apis/bot/v2/hook/{}",
}
HOUR = 3600  # seconds that a timestamp may be off


@dataclass
class Groups:
    """The groups behind the robots: their tokens, secrets and messages, and the robots that misbehave."""

    secrets: dict[str, str] = field(default_factory=dict)  # {token: secret}
    misbehaving: dict[str, str] = field(default_factory=dict)  # {token: hang, drip, redirect, html, empty, error}
    limit: int = 20  # messages of a robot before it refuses more
    texts: dict[str, list[str]] = field(default_factory=dict)  # {token: what the group has read}
    bodies: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  # paths, of refused requests too
    released: threading.Event = field(default_factory=threading.Event)  # ends hanging

    def __post_init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()

    def take(self, service: str, token: str, query: dict[str, list[str]], body: dict[str, Any]) -> dict[str, Any]:
        """Return the reply of a service to a message, as it documents it."""
        with self.lock:
            if token not in self.texts:
                return _reply(service, {WECOM: 93000, DINGTALK: 300001, FEISHU: 19001}[service], "token is not exist")
            secret = self.secrets.get(token)
            if secret and not _is_signed(service, secret, query, body):
                return _reply(service, {DINGTALK: 310000, FEISHU: 19021}[service], "sign match fail")
            self.counts[token] += 1
            if self.counts[token] > self.limit:
                return _reply(service, {WECOM: 45009, DINGTALK: 130101, FEISHU: 11232}[service], "send too fast")
            is_text = body.get("msgtype" if service != FEISHU else "msg_type") == "text"
            text = body.get("content", {}).get("text") if service == FEISHU else body.get("text", {}).get("content")
            if not is_text or not text or (service == WECOM and len(text.encode()) > 2048):
                return _reply(service, {WECOM: 40058, DINGTALK: 400105, FEISHU: 9499}[service], "Bad Request")
            self.texts[token].append(text)
            self.bodies.append(body)
            return _reply(service, 0, "ok")


def _reply(service: str, code: int, text: str) -> dict[str, Any]:
    return {"code": code, "msg": text, "data": {}} if service == FEISHU else {"errcode": code, "errmsg": text}


def _is_signed(service: str, secret: str, query: dict[str, list[str]], body: dict[str, Any]) -> bool:
    """Whether a request has the signature of its service's documentation."""
    if service == DINGTALK:
        timestamp, sign = query.get("timestamp", ["0"])[0], query.get("sign", [""])[0]
        digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
        seconds = int(timestamp) / 1000
    else:
        timestamp, sign = body.get("timestamp", "0"), body.get("sign", "")
        digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
        seconds = int(timestamp)
    return base64.b64encode(digest).decode() == sign and abs(time.time() - seconds) < HOUR


class RobotServer:
    """The server of `groups`; a context manager."""

    def __init__(self, groups: Groups, folder: Path) -> None:
        certificates_in(folder)
        self.authority = folder / "ca.pem"
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        handler = type("Handler", (_Handler,), {"groups": groups})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = int(self.server.server_port)
        self.groups = groups

    def __enter__(self) -> RobotServer:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.groups.released.set()
        self.server.shutdown()
        self.server.server_close()

    def webhook(self, service: str, token: str) -> str:
        return f"https://127.0.0.1:{self.port}{PATHS[service].format(token)}"


class _Handler(BaseHTTPRequestHandler):
    groups: Groups

    def do_POST(self) -> None:
        self.groups.requests.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        service = next(name for name, path in PATHS.items() if parts.path.startswith(path.partition("?")[0][:-3]))
        token = (query.get("key") or query.get("access_token") or [parts.path.rpartition("/")[2]])[0]
        behaviour = self.groups.misbehaving.get(token, "")
        if behaviour == "hang":
            self.groups.released.wait()
            return
        if behaviour == "drip":
            self._drip()
            return
        content = json.dumps({} if behaviour else self.groups.take(service, token, query, body)).encode()
        if behaviour == "html":
            content = b"<html>Bad Gateway</html>"
        self.send_response({"redirect": 302, "error": 500, "html": 502}.get(behaviour, 200))
        if behaviour == "redirect":
            self.send_header("Location", f"https://{self.headers['Host']}{PATHS[WECOM].format('elsewhere')}")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not self.groups.released.wait(0.05):
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""
