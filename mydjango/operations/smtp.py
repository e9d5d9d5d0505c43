"""Bound the time of a whole mail: Django's EMAIL_TIMEOUT bounds a single read, and a mail takes many."""

from __future__ import annotations

import io
import smtplib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp

START_MAIL_INPUT = 354  # the reply to DATA: the content follows


class BoundedSMTP(smtplib.SMTP):
    """A conversation in which each wait takes `timeout` at most, and all waits end at `until`.

    The content and its reply may take until `deadline`: whoever gives up before the reply may send a second copy of a
    mail that the server has accepted. RFC 5321, 4.5.3.2.6, asks for ten minutes. Both are of time.monotonic().
    """

    def __init__(self, *args: Any, until: float, deadline: float, **kwargs: Any) -> None:  # noqa: ANN401
        self.until, self.deadline = until, deadline
        self._content_follows = False
        super().__init__(*args, **kwargs)

    def bound(self) -> None:
        """Set the socket's timeout to the seconds left. Raises TimeoutError when none are."""
        now = time.monotonic()
        left = self.deadline - now if self._content_follows else min(float(self.timeout), self.until - now)
        if left <= 0:
            raise TimeoutError("The conversation took too long.")
        if self.sock is not None:
            self.sock.settimeout(left)

    def send(self, s: Any) -> None:  # noqa: ANN401
        try:
            self.bound()
        except TimeoutError:
            self.close()  # as smtplib does after an error of the socket
            raise
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Replies(self))
        reply = super().getreply()
        self._content_follows = reply[0] == START_MAIL_INPUT
        return reply


class BoundedSMTPS(BoundedSMTP, smtplib.SMTP_SSL):
    """BoundedSMTP inside TLS."""


class _Replies(io.RawIOBase):
    """The bytes from the server. Each read is bounded anew, since one byte a second would never time out."""

    def __init__(self, conversation: BoundedSMTP) -> None:
        super().__init__()
        self._conversation = conversation

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        self._conversation.bound()
        sock = self._conversation.sock
        return sock.recv_into(buffer) if sock is not None else 0


class EmailBackend(smtp.EmailBackend):
    """Django's backend with a deadline (of time.monotonic(); EMAIL_SECONDS from now by default) for each mail.

    Connecting takes twice EMAIL_TIMEOUT at most, and so do sender and recipient of a mail. An open connection is
    tested with NOOP before it is used again: the server may have closed it, and not every later error tells whether
    the server accepted the mail.
    """

    connection: BoundedSMTP | None
    _partial_connection: smtplib.SMTP | None  # before its login

    def __init__(self, *args: Any, deadline: float | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.deadline = deadline

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:
        until, deadline = self._bounds()
        return partial(BoundedSMTPS if self.use_ssl else BoundedSMTP, until=until, deadline=deadline)

    def _bounds(self) -> tuple[float, float]:
        """Return `until` and `deadline` for steps that begin now."""
        now = time.monotonic()
        deadline = now + float(settings.EMAIL_SECONDS) if self.deadline is None else self.deadline
        return min(deadline, now + 2 * float(settings.EMAIL_TIMEOUT)), deadline

    def open(self) -> bool | None:
        """Connect and log in, and drop a connection whose login failed."""
        try:
            return super().open()
        except Exception:
            self._drop()
            raise

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send, and drop the connection after any error, since a mail may have been started on it."""
        try:
            if self.connection is not None:
                self.connection.until, self.connection.deadline = self._bounds()
                if not self._is_alive():
                    self._drop()
                    self.open()
            return super().send_messages(email_messages)
        except Exception:
            self._drop()
            raise

    def close(self) -> None:
        """Send QUIT, and close the connection whatever the server replies."""
        if self.connection is not None:
            self.connection.until, self.connection.deadline = self._bounds()
        with suppress(OSError):
            super().close()
        self._drop()

    def _is_alive(self) -> bool:
        try:
            return self.connection is not None and self.connection.noop()[0] == 250
        except OSError:
            return False

    def _drop(self) -> None:
        """Close the socket without QUIT."""
        for connection in (self.connection, self._partial_connection):
            if connection is not None:
                connection.close()
        self.connection = self._partial_connection = None
