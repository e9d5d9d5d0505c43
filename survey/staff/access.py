"""Access rules: head office sees everything, a branch manager the submissions of their branches, others nothing.

Every view for staff has one of the decorators `staff_view`, `head_office_view` and `eraser_view`, and reads through
`branches_of` and `submissions_of`. Another branch's submission is 404, not 403, which would reveal that it exists.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.models import User as AccountUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from survey.models import Branch, Membership, Submission

User = AbstractBaseUser | AnonymousUser
View = Callable[..., HttpResponseBase]


def is_head_office(user: User) -> bool:
    """Return whether the user sees every branch, and the submissions without one."""
    return bool(user.has_perm("survey.act_for_head_office"))  # type: ignore[union-attr]


def may_erase(user: User) -> bool:
    """Return whether the user may erase the submissions that they see."""
    return bool(user.has_perm("survey.erase_submission"))  # type: ignore[union-attr]


def branches_of(user: User) -> QuerySet[Branch]:
    """Return the branches that the user may see."""
    if is_head_office(user):
        return Branch.objects.all()
    return Branch.objects.filter(membership__user=user.pk) if user.pk else Branch.objects.none()


def submissions_of(user: User) -> QuerySet[Submission]:
    """Return the submissions that the user may see."""
    if is_head_office(user):
        return Submission.objects.all()
    return Submission.objects.filter(branch__in=branches_of(user))


def staff_of(branch: Branch | None) -> QuerySet[AccountUser]:
    """Return the active accounts that may see the submissions of a branch, or with None those without one, by name."""
    head_office = AccountUser.objects.with_perm("survey.act_for_head_office").values("pk")
    sees = Q(pk__in=head_office)
    if branch:
        sees |= Q(pk__in=Membership.objects.filter(branch=branch).values("user"))
    return AccountUser.objects.filter(sees, is_active=True).order_by("first_name", "username")


def account_of(request: HttpRequest) -> AccountUser:
    """Return the account of a request. Raises PermissionDenied for an anonymous one."""
    user = request.user
    if not isinstance(user, AccountUser):
        raise PermissionDenied
    return user


def _private(view: View) -> View:
    return never_cache(login_required(view))


def _or_404(view: View, is_permitted: Callable[[User], bool]) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401
        if not is_permitted(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def staff_view(view: View) -> View:
    """Decorate a view for staff: without a branch the response is a page with status 403 that says whom to ask."""

    @_private
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401
        if not (is_head_office(request.user) or branches_of(request.user).exists()):
            return render(request, "staff/no_branch.html", status=403)
        return view(request, *args, **kwargs)

    return guarded


def head_office_view(view: View) -> View:
    """Decorate a view for head office; other accounts get 404."""
    return _private(_or_404(view, is_head_office))


def eraser_view(view: View) -> View:
    """Decorate a view for staff who may erase submissions; other staff get 404."""
    return staff_view(_or_404(view, may_erase))
