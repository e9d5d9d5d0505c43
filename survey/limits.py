"""Limit how often something may be tried: logins, erasures and password mails by account and address, submissions by
address and branch.

One table counts them all, `survey_loginwindow`: its key is a hash of what is limited, and a window may end at any time.
`survey_submissioncount` knew clock hours only and had two indexes more; the release before still uses it.

Not django-axes 8.3: it adds 5 % CPU to every cold start, guests' included (29 modules, a middleware, three models), and
stores names and addresses.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from survey.models import AttemptWindow

WINDOW = timedelta(minutes=15)
# An account from one address: a person who mistypes. An address: staff behind one router. An account from anywhere:
# guessing spread over many addresses; generous, since whoever knows the name could otherwise lock its owner out.
ATTEMPTS_PER_ACCOUNT_AND_ADDRESS = 5
ATTEMPTS_PER_ADDRESS = 50
ATTEMPTS_PER_ACCOUNT = 100
SUBMISSION_WINDOW = timedelta(hours=1)


class TooManyAttempts(Exception):
    """The window is full; `retry_after` is the number of seconds until it ends."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after

    @property
    def minutes(self) -> int:
        """The same in minutes, rounded up."""
        return -(-self.retry_after // 60)

    @property
    def sentence(self) -> str:
        """The error message of a page."""
        text = ngettext(
            "Too many attempts. Please try again in %(minutes)s minute.",
            "Too many attempts. Please try again in %(minutes)s minutes.",
            self.minutes,
        )
        return text % {"minutes": self.minutes}


def count_attempt(kind: str, account: str, address: str) -> None:
    """Count an attempt; call it before the password or the phone number is compared. Raises TooManyAttempts.

    `kind` keeps logins, erasures and password mails apart. `account` is the canonical form by which the account (or the
    submission) is looked up: a second spelling would have attempts of its own. Attempts at the same moment each count.
    """
    for name, limit in _windows(kind, account, address):
        _count(name, limit, WINDOW)


def count(name: str, limit: int) -> None:
    """Count one in the window of this name. Raises TooManyAttempts where `limit` are counted."""
    _count(name, limit, WINDOW)


def forget(kind: str, account: str, address: str) -> None:
    """Forget the attempts for the account from this address: a login ends a row of typing errors."""
    AttemptWindow.objects.filter(key=_key(_windows(kind, account, address)[0][0])).delete()


def is_first(name: str, period: timedelta) -> bool:
    """Return whether nobody has asked the same within `period`; counts as asked from now on."""
    try:
        _count(name, 1, period)
    except TooManyAttempts:
        return False
    return True


def count_submission(address: str, branch: int | None) -> None:
    """Count a submission, in the transaction that stores it. Raises TooManyAttempts.

    Call it last in the transaction: the row of a busy restaurant is locked for no longer than the commit takes.
    An event that names no address is not counted, or all guests would share one window.
    """
    limit: int = settings.SUBMISSIONS_PER_HOUR
    if limit and address:
        # With the date the hash of a guest's address changes daily: later nothing links a guest's visits.
        name = f"submission {timezone.localdate()} {network(address)} {branch or ''}"
        _count(name, limit, SUBMISSION_WINDOW)


def network(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 that a household or a restaurant has of IPv6.

    An IPv4 address mapped to IPv6 is the IPv4 address. What is no address stays as it is.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))


def forget_past_windows() -> int:
    """Delete what no longer limits anything; returns how many."""
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
    """Count one more in the window of this name, or open it. Raises TooManyAttempts where `limit` are counted."""
    key, now = _key(name), timezone.now()
    if _add_one(key, limit, period):
        return
    try:
        with transaction.atomic():
            AttemptWindow.objects.create(key=key, attempts=1, ends_at=now + period)
    except IntegrityError:  # the window is full, or another attempt has just opened it
        ends_at = AttemptWindow.objects.filter(key=key, attempts__gte=limit).values_list("ends_at", flat=True).first()
        if ends_at is None and _add_one(key, limit, period):
            return
        left = (ends_at or now + period) - now
        raise TooManyAttempts(max(1, -(-left // timedelta(seconds=1)))) from None


def _add_one(key: str, limit: int, period: timedelta) -> bool:
    """Count in a running window that is not full, or begin anew one that is over: one statement, so none is lost."""
    now = timezone.now()
    is_over = Q(ends_at__lte=now)
    # In this order: MySQL assigns from left to right, and attempts must see the end as it was.
    counted = AttemptWindow.objects.filter(is_over | Q(attempts__lt=limit), key=key).update(
        attempts=Case(When(is_over, then=Value(1)), default=F("attempts") + 1),
        ends_at=Case(When(is_over, then=Value(now + period)), default=F("ends_at")),
    )
    return bool(counted)
