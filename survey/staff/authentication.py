"""The authentication backend, which settings name: look up an account by login name and compare its password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest

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


class StaffBackend(ModelBackend):
    """Django's backend with a lookup by canonical name; rejects empty passwords."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,  # noqa: ANN401  (Django's signature)
    ) -> User | None:
        # createsuperuser may have stored the hash of an empty password.
        if not username or not password:
            return None
        user = account_named(username)
        if user is None:
            User().set_password(password)  # takes as long as a comparison, so that timing reveals no account
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
