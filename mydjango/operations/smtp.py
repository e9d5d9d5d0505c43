"""Mail over SMTP in a bounded time: Django's backend, whose timeout is one of a single read only."""

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
    """A conversation in which each wait is `timeout` at most and all of them end at `until`, however many they are.

    The content and its reply alone may take until `deadline`: the server may have accepted a mail whose reply is not
    waited for, and the next attempt is a second copy. RFC 5321, 4.5.3.2.6, asks for ten minutes.
    """

    def __init__(self, *args: Any, until: float, deadline: float, **kwargs: Any) -> None:  # noqa: ANN401
        self.until, self.deadline = until, deadline  # of time.monotonic()
        self._content_follows = False
        super().__init__(*args, **kwargs)

    def bound(self) -> None:
        """Let the next read or write take what is left. Raises TimeoutError when nothing is."""
        now = time.monotonic()
        left = self.deadline - now if self._content_follows else min(float(self.timeout), self.until - now)
        if left <= 0:
            raise TimeoutError("The conversation took too long.")
        if self.sock is not None:
            self.sock.settimeout(left)

    def send(self, s: Any) -> None:  # noqa: ANN401
        """Send, within what is left."""
        try:
            self.bound()
        except TimeoutError:
            self.close()  # as smtplib does after an error of the socket
            raise
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Receive, within what is left."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Replies(self))
        reply = super().getreply()
        self._content_follows = reply[0] == START_MAIL_INPUT
        return reply


class BoundedSMTPS(BoundedSMTP, smtplib.SMTP_SSL):
    """The same inside TLS."""


class _Replies(io.RawIOBase):
    """The bytes that the server sends, each read bounded anew: one byte a second would never time out."""

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
    """Takes until `deadline` (of time.monotonic()) at most, and reuses a connection that its user has opened.

    Connecting takes twice EMAIL_TIMEOUT at most, and so do sender and recipient of a mail. Without a deadline a mail
    has EMAIL_SECONDS.

    A server may end an idle connection at any time. It is asked before a mail is given to it: not every error after
    that tells whether the mail was taken.
    """

    connection: BoundedSMTP | None
    _partial_connection: smtplib.SMTP | None  # Django's: a connection that is not logged in yet

    def __init__(self, *args: Any, deadline: float | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.deadline = deadline

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:
        """What Django calls to connect."""
        until, deadline = self._bounds()
        return partial(BoundedSMTPS if self.use_ssl else BoundedSMTP, until=until, deadline=deadline)

    def _bounds(self) -> tuple[float, float]:
        """Return when a few steps that begin now have to end, and when all has to."""
        now = time.monotonic()
        deadline = now + float(settings.EMAIL_SECONDS) if self.deadline is None else self.deadline
        return min(deadline, now + 2 * float(settings.EMAIL_TIMEOUT)), deadline

    def open(self) -> bool | None:
        """Connect and log in; a connection that failed half-way is dropped at once."""
        try:
            return super().open()
        except Exception:
            self._drop()
            raise

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send; after an error, whichever it is, the connection is not used again: a mail may be begun on it."""
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
        """Say goodbye; a server that does not answer to that has no say any more."""
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
        """Close the socket without a word."""
        for connection in (self.connection, self._partial_connection):
            if connection is not None:
                connection.close()
        self.connection = self._partial_connection = None
