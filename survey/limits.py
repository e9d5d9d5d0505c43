"""Rate limits: logins, requests for erasure and password mails by account and address, submissions by address and
branch.

One table counts all of them, `survey_loginwindow`. Its key is a hash of the limited account or address, and a window
ends at any time, not at the full hour as in `survey_submissioncount`, which only the release before still uses.

django-axes 8.3 was tried: it adds 5 % CPU to every cold start, guests' included (29 modules, a middleware, three
models), and stores names and addresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from survey.models import AttemptWindow, Submission

WINDOW = timedelta(minutes=15)
# A person mistypes: per account and address. Staff share a router: per address. Guesses come from many addresses: per
# account, generous, since anybody who knows an account's name could otherwise lock its owner out.
ATTEMPTS_PER_ACCOUNT_AND_ADDRESS = 5
ATTEMPTS_PER_ADDRESS = 50
ATTEMPTS_PER_ACCOUNT = 100
SUBMISSION_WINDOW = timedelta(hours=1)


class TooManyAttempts(Exception):
    """Raised when a window is full; `retry_after` is the number of seconds until the window ends."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after

    @property
    def minutes(self) -> int:
        """`retry_after` in minutes, rounded up."""
        return -(-self.retry_after // 60)

    @property
    def message(self) -> str:
        """The error message for the page, in the current language."""
        text = ngettext(
            "Too many attempts. Please try again in %(minutes)s minute.",
            "Too many attempts. Please try again in %(minutes)s minutes.",
            self.minutes,
        )
        return text % {"minutes": self.minutes}


class Window(NamedTuple):
    """At most `limit` attempts in a `period`; the key is that of an AttemptWindow."""

    key: str
    limit: int
    period: timedelta

    def count_one(self) -> None:
        """Count one attempt. Raises TooManyAttempts when the window is full."""
        if not self.count_in_open():
            self.open_and_count()

    def count_in_open(self, condition: str = "", values: Sequence[str] = ()) -> bool:
        """Count in a window that is not full, or restart one that has ended. Return whether the attempt counted.

        An SQL condition, which begins with AND, must hold too. One statement, so that no concurrent attempt is lost;
        written in SQL, since building it with Case and When takes a fifth of the CPU of a submission.
        """
        now = timezone.now()
        with connection.cursor() as cursor:
            start, end = map(cursor.db.ops.adapt_datetimefield_value, (now, now + self.period))
            cursor.execute(ADD_ONE + condition, [start, start, end, self.key, start, self.limit, *values])
            counted: int = cursor.rowcount
        return counted > 0

    def open_and_count(self) -> None:
        """Open the window if it is missing, and count. Raises TooManyAttempts when the window is full."""
        # INSERT IGNORE settles which, and concurrent attempts, without a savepoint.
        now = timezone.now()
        opened = AttemptWindow(key=self.key, attempts=0, ends_at=now + self.period)
        AttemptWindow.objects.bulk_create([opened], ignore_conflicts=True)
        if self.count_in_open():
            return
        ends_at = AttemptWindow.objects.filter(key=self.key).values_list("ends_at", flat=True).first()
        left = (ends_at or now + self.period) - now
        raise TooManyAttempts(max(1, -(-left // timedelta(seconds=1))))


def count_attempt(kind: str, account: str, address: str) -> None:
    """Count an attempt. Call this before comparing the password or the phone number. Raises TooManyAttempts.

    `kind` separates logins, requests for erasure and password mails. `account` is the canonical form by which the
    account or the submission is looked up: another spelling would have attempts of its own. Concurrent attempts each
    count.
    """
    for name, limit in _windows(kind, account, address):
        _count(name, limit, WINDOW)


def count(name: str, limit: int) -> None:
    """Count one in the window of this name. Raises TooManyAttempts where `limit` are counted."""
    _count(name, limit, WINDOW)


def reset_attempts(kind: str, account: str, address: str) -> None:
    """Delete the attempts for the account from this address, as after a successful login."""
    AttemptWindow.objects.filter(key=_key(_windows(kind, account, address)[0][0])).delete()


def allow_once(name: str, period: timedelta) -> bool:
    """Return True for the first call with this name within `period`, False for the others."""
    try:
        _count(name, 1, period)
    except TooManyAttempts:
        return False
    return True


def submission_window(address: str, submission: Submission) -> Window | None:
    """Return the window of a submission, None where it is not counted: all without an address would share one.

    Count last in the transaction that stores it, so that the row of a busy restaurant is locked only until the commit.
    """
    limit: int = settings.SUBMISSIONS_PER_HOUR
    if not limit or not address:
        return None
    # The date changes the hash of an address daily, so that nothing links a guest's visits later.
    name = f"submission {submission.local_date} {network(address)} {submission.branch_id or ''}"
    return Window(_key(name), limit, SUBMISSION_WINDOW)


def count_upload(address: str) -> None:
    """Count a permitted upload of a photo, by address: no branch is known yet. Raises TooManyAttempts."""
    limit: int = settings.SUBMISSIONS_PER_HOUR
    if limit and address:
        _count(f"upload {timezone.localdate()} {network(address)}", limit, SUBMISSION_WINDOW)


def network(address: str) -> str:
    """Return the network that counts as one client: an IPv4 address, or the /64 of an IPv6 address.

    A household or a restaurant has a /64 of IPv6. An IPv4 address mapped to IPv6 counts as the IPv4 address; a string
    that is no address is returned unchanged.
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or ipaddress.IPv6Network((int(parsed), 64), strict=False))


def delete_past_windows() -> int:
    """Delete the windows that have ended. Return their number."""
    return AttemptWindow.objects.filter(ends_at__lt=timezone.now()).delete()[0]


def _windows(kind: str, account: str, address: str) -> tuple[tuple[str, int], ...]:
    client = network(address)
    return (
        (f"{kind} account {account} address {client}", ATTEMPTS_PER_ACCOUNT_AND_ADDRESS),
        (f"{kind} address {client}", ATTEMPTS_PER_ADDRESS),
        (f"{kind} account {account}", ATTEMPTS_PER_ACCOUNT),
    )


def _key(name: str) -> str:
    return salted_hmac("survey.limits", name, algorithm="sha256").hexdigest()


def _count(name: str, limit: int, period: timedelta) -> None:
    """Count one attempt in the window of this name. Raises TooManyAttempts when it is full."""
    Window(_key(name), limit, period).count_one()


# `attempts` first: MySQL assigns from left to right, and it must see the old `ends_at`. `key` alone is a reserved word.
ADD_ONE = """
UPDATE survey_loginwindow
SET attempts = CASE WHEN ends_at <= %s THEN 1 ELSE attempts + 1 END,
    ends_at = CASE WHEN ends_at <= %s THEN %s ELSE ends_at END
WHERE survey_loginwindow.key = %s AND (ends_at <= %s OR attempts < %s)
"""
