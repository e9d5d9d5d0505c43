"""Logins are throttled, and erasures likewise: a password or a phone number cannot be guessed by trying.

A table of our own rather than django-axes 8.3, which works but costs every cold start, guests' included, 5 % of CPU
(29 modules, a middleware, three models) and stores names and addresses; this is imported by the login page alone.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from survey.models import LoginWindow

WINDOW = timedelta(minutes=15)
# An account from one address: a person who mistypes. An address: staff behind one router. An account from anywhere:
# guessing spread over many addresses; generous, since whoever knows the name could otherwise lock its owner out.
ATTEMPTS_PER_ACCOUNT_AND_ADDRESS = 5
ATTEMPTS_PER_ADDRESS = 50
ATTEMPTS_PER_ACCOUNT = 100


class TooManyAttempts(Exception):
    """The account or the address has used up its attempts; `minutes` until the next."""

    def __init__(self, minutes: int) -> None:
        super().__init__(f"again in {minutes} min")
        self.minutes = minutes

    @property
    def sentence(self) -> str:
        """What the page says."""
        text = ngettext(
            "Too many attempts. Please try again in %(minutes)s minute.",
            "Too many attempts. Please try again in %(minutes)s minutes.",
            self.minutes,
        )
        return text % {"minutes": self.minutes}


def count_attempt(account: str, address: str) -> None:
    """Count an attempt before its password is looked at; raises TooManyAttempts.

    Counted first: attempts made at the same moment cannot all slip through.
    """
    for name, limit in _windows(account, address):
        count(name, limit)


def count(name: str, limit: int) -> None:
    """Count an attempt of `name` in its window; raises TooManyAttempts above `limit`."""
    window = _count(_key(name))
    if window.attempts > limit:
        left = window.ends_at - timezone.now()
        raise TooManyAttempts(max(1, -(-int(left.total_seconds()) // 60)))


def forget(account: str, address: str) -> None:
    """After a login: the account's mistypings from this address no longer count."""
    LoginWindow.objects.filter(key=_key(_windows(account, address)[0][0])).delete()


def is_first(name: str, period: timedelta) -> bool:
    """Whether nobody has asked the same within `period`; counts as asked from now on."""
    return _count(_key(name), period).attempts == 1


def forget_past_windows() -> int:
    """Delete what no longer limits anything; returns how many."""
    return LoginWindow.objects.filter(ends_at__lt=timezone.now()).delete()[0]


def _windows(account: str, address: str) -> tuple[tuple[str, int], ...]:
    account = account.casefold()
    return (
        (f"{account} {address}", ATTEMPTS_PER_ACCOUNT_AND_ADDRESS),
        (f"address {address}", ATTEMPTS_PER_ADDRESS),
        (f"account {account}", ATTEMPTS_PER_ACCOUNT),
    )


def _key(name: str) -> str:
    return salted_hmac("survey.throttle", name, algorithm="sha256").hexdigest()


def _count(key: str, period: timedelta = WINDOW) -> LoginWindow:
    now = timezone.now()
    if not LoginWindow.objects.filter(key=key, ends_at__gt=now).update(attempts=F("attempts") + 1):
        try:
            with transaction.atomic():
                LoginWindow.objects.filter(key=key, ends_at__lte=now).delete()
                return LoginWindow.objects.create(key=key, attempts=1, ends_at=now + period)
        except IntegrityError:  # another attempt opened the window first
            LoginWindow.objects.filter(key=key).update(attempts=F("attempts") + 1)
    return LoginWindow.objects.get(key=key)
