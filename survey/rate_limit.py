"""How many answers one address may send for one branch in an hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from survey.models import SubmissionCount

HOUR = timedelta(hours=1)


class TooManySubmissions(Exception):
    """The address has used up its hour for this branch; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


def count_submission(address: str, branch: int | None) -> None:
    """Count one answer, in the transaction that stores it; raises TooManySubmissions.

    Last in the transaction: the row of a busy restaurant is locked for no longer than the commit takes.
    An event that names no address is not counted, or all guests would share one hour.
    """
    limit: int = settings.SUBMISSIONS_PER_HOUR
    if not limit or not address:
        return
    now = timezone.localtime()
    hour = now.replace(minute=0, second=0, microsecond=0)
    row = {"source": source(address, branch, hour), "hour": hour}
    if _add_one(row, limit):
        return
    try:
        with transaction.atomic():
            SubmissionCount.objects.create(**row, count=1)
    except IntegrityError:
        # Another answer opened the hour first, or the limit is reached.
        if not _add_one(row, limit):
            raise TooManySubmissions(int((hour + HOUR - now).total_seconds()) + 1) from None


def _add_one(row: dict[str, object], limit: int) -> bool:
    return bool(SubmissionCount.objects.filter(**row, count__lt=limit).update(count=F("count") + 1))


def source(address: str, branch: int | None, day: datetime) -> str:
    """A keyed hash of the address and the branch, under a key of the day: after it nothing leads back to the address."""
    return salted_hmac(
        f"survey.source {day:%Y-%m-%d}", f"{_network(address)} {branch or ''}", algorithm="sha256"
    ).hexdigest()


def _network(address: str) -> str:
    """An IPv4 address itself; of an IPv6 address the half that a household or a restaurant has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else parsed.exploded[:19]
    return str(parsed)


def forget_past_hours() -> int:
    """Delete the counts that no longer limit anything; returns how many."""
    return SubmissionCount.objects.filter(hour__lt=timezone.now() - HOUR).delete()[0]
