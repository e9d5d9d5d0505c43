"""A real SMTP server on loopback that accepts mail or misbehaves in a chosen way."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mailbox:
    """The handler of the server: accepted messages, and the recipients with which it misbehaves."""

    at_recipient: dict[str, str] = field(default_factory=dict)  # {recipient: reply to RCPT TO}
    at_data: dict[str, str] = field(default_factory=dict)  # {recipient: reply to the content}
    hang_up_on: set[str] = field(default_factory=set)  # recipients whose mail closes the connection
    hang_at_recipient: set[str] = field(default_factory=set)  # recipients whose RCPT TO gets no reply
    hang_on: set[str] = field(default_factory=set)  # recipients whose content gets no reply
    is_hanging: bool = False  # whether a content is waiting for its reply
    seconds_at_data: float = 0  # before the reply to the content
    before_reply: Callable[[], object] | None = None  # called in a thread after the content has arrived
    messages: list[EmailMessage] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.hang_at_recipient:
            await asyncio.Event().wait()
        if address in self.at_recipient:
            return self.at_recipient[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipient = envelope.rcpt_tos[0]
        if recipient in self.hang_up_on:
            server.transport.abort()
            return "250 OK"
        if recipient in self.hang_on:
            with self.arrived:
                self.is_hanging = True
                self.arrived.notify_all()
            await asyncio.Event().wait()
        if recipient in self.at_data:
            return self.at_data[recipient]
        await asyncio.sleep(self.seconds_at_data)
        if self.before_reply is not None:
            await asyncio.to_thread(self.before_reply)
        message: Any = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
        with self.arrived:
            self.messages.append(message)
            self.arrived.notify_all()
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return [message["To"] for message in self.messages]

    @property
    def message_ids(self) -> list[str]:
        return [message["Message-ID"] for message in self.messages]


def start(mailbox: Mailbox, **options: Any) -> Controller:
    """Serve the mailbox on a free port of loopback, with aiosmtpd's options. The caller stops the controller."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    return controller


def silent_server() -> socket.socket:
    """Return a socket that accepts connections and never sends anything."""
    return socket.create_server(("127.0.0.1", 0))


class DrippingServer:
    """A server that sends one of its replies byte by byte, each long before a client's read times out."""

    PAUSE, LENGTH = 0.05, 200  # ten seconds in all
    REPLIES = ("greeting", "content")

    def __init__(self, dripping: str) -> None:
        self.dripping = dripping
        self.is_through = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> DrippingServer:
        self.thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopped.set()
        self.thread.join()
        self.listener.close()

    def _serve(self) -> None:
        client, _address = self.listener.accept()
        with client, client.makefile("rb") as lines, suppress(OSError):
            self._reply(client, "greeting", b"220 ready")
            for line in lines:
                if line[:4].upper() != b"DATA":
                    client.sendall(b"250 OK\r\n")
                    continue
                client.sendall(b"354 go on\r\n")
                while lines.readline() not in (b".\r\n", b""):
                    pass
                self._reply(client, "content", b"250 taken")

    def _reply(self, client: socket.socket, name: str, text: bytes) -> None:
        if name == self.dripping:
            for byte in text.ljust(self.LENGTH, b"."):
                client.sendall(bytes([byte]))
                if self.stopped.wait(self.PAUSE):
                    return
            self.is_through = True
            text = b""
        client.sendall(text + b"\r\n")
