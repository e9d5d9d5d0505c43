"""Mail over SMTP in a bounded time: Django's backend, whose timeout is one of a single step only."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp


class BoundedSMTP(smtplib.SMTP):
    """A conversation that ends at `until`, however many steps it has: each step waits for what is left at most."""

    def __init__(self, *args: Any, until: float, **kwargs: Any) -> None:  # noqa: ANN401
        self.until = until  # of time.monotonic()
        super().__init__(*args, **kwargs)

    def _bound(self) -> None:
        if self.sock is not None:
            # Not 0, which would mean "do not wait" and raise another error.
            self.sock.settimeout(max(0.001, min(float(self.timeout), self.until - time.monotonic())))

    def send(self, s: Any) -> None:  # noqa: ANN401
        """Send, within what is left."""
        self._bound()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Receive, within what is left."""
        self._bound()
        return super().getreply()


class BoundedSMTPS(BoundedSMTP, smtplib.SMTP_SSL):
    """The same inside TLS."""


class EmailBackend(smtp.EmailBackend):
    """Takes EMAIL_SECONDS at most for a mail, and reuses a connection that its user has opened.

    A server may end an idle connection at any time. It is asked before a mail is given to it: not every error after
    that tells whether the mail was taken.
    """

    connection: BoundedSMTP | None
    _partial_connection: smtplib.SMTP | None  # Django's: a connection that is not logged in yet

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:
        """What Django calls to connect."""
        return partial(BoundedSMTPS if self.use_ssl else BoundedSMTP, until=self._until())

    @staticmethod
    def _until() -> float:
        return time.monotonic() + float(settings.EMAIL_SECONDS)

    def open(self) -> bool | None:
        """Connect and log in; a connection that failed half-way is dropped at once."""
        try:
            return super().open()
        except OSError:
            self._drop()
            raise

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send; after an error the connection is not used again."""
        if self.connection is not None:
            self.connection.until = self._until()
            if not self._is_alive():
                self._drop()
                self.open()
        try:
            return super().send_messages(email_messages)
        except OSError:
            self._drop()
            raise

    def close(self) -> None:
        """Say goodbye; a server that does not answer to that has no say any more."""
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
