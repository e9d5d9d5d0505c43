"""Which account a login name and a password open: the one authentication backend, named in settings."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from survey.addresses import canonical_name


def accounts_like(typed: str) -> QuerySet[User]:
    """Return the accounts that the database takes for this name: as it was typed, or but for capitals."""
    return User.objects.filter(Q(username=typed) | Q(username__iexact=canonical_name(typed)))


def account_named(typed: str) -> User | None:
    """Return the account of a login name.

    The database alone must not decide: a collation of MySQL takes á for a and ignores spaces at the end, so that one
    account has hundreds of names, and a limit that counts by name counts none of them.
    """
    name = canonical_name(typed)
    same = [user for user in accounts_like(typed) if canonical_name(user.username) == name]
    # Where createsuperuser made two that differ in capitals alone, the one that was typed.
    return min(same, key=lambda user: user.username != typed, default=None)


class StaffBackend(ModelBackend):
    """Django's backend, but for the lookup by canonical name and the empty password, which opens nothing."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,  # noqa: ANN401  (Django's signature)
    ) -> User | None:
        """Return the account, or None."""
        # Django compares even an empty password with the stored hash, which createsuperuser may have made of one.
        if not username or not password:
            return None
        user = account_named(username)
        if user is None:
            User().set_password(password)  # takes as long as comparing it, so that the time names no accounts
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
