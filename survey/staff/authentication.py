"""Look up accounts by login name."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from survey.addresses import canonical_name


def accounts_like(typed: str) -> QuerySet[User]:
    """Return the accounts that the database matches with this name, as typed or without regard to case."""
    return User.objects.filter(Q(username=typed) | Q(username__iexact=canonical_name(typed)))


def account_named(typed: str) -> User | None:
    """Return the account of a login name.

    MySQL's collations take á for a and ignore trailing spaces, so an account would have hundreds of names and escape a
    limit that counts by name. Therefore the matches are compared once more.
    """
    name = canonical_name(typed)
    same = [user for user in accounts_like(typed) if canonical_name(user.username) == name]
    # createsuperuser may have made two that differ in case alone.
    return min(same, key=lambda user: user.username != typed, default=None)
