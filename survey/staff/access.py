"""Who may see what: head office everything, a branch manager the answers of his branches, everybody else nothing.

A view for staff is made with `staff_view`, `head_office_view` or `eraser_view`; what it shows comes from `branches_of`
and `responses_of`. Another branch's answer is 404, not 403: that it exists is nobody else's business.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.models import User as AccountUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from survey.models import Branch, Submission

HEAD_OFFICE = "survey.act_for_head_office"
ERASE = "survey.erase_submission"

User = AbstractBaseUser | AnonymousUser
View = Callable[..., HttpResponseBase]


def is_head_office(user: User) -> bool:
    """Whether the user sees every branch, and the answers that name none."""
    return bool(user.has_perm(HEAD_OFFICE))  # type: ignore[union-attr]


def may_erase(user: User) -> bool:
    """Whether the user may erase the submissions that he sees."""
    return bool(user.has_perm(ERASE))  # type: ignore[union-attr]


def branches_of(user: User) -> QuerySet[Branch]:
    """The branches whose answers the user may see."""
    if is_head_office(user):
        return Branch.objects.all()
    return Branch.objects.filter(membership__user=user.pk) if user.pk else Branch.objects.none()


def submissions_of(user: User) -> QuerySet[Submission]:
    """The answers the user may see."""
    if is_head_office(user):
        return Submission.objects.all()
    return Submission.objects.filter(branch__in=branches_of(user))


def account_of(request: HttpRequest) -> AccountUser:
    """The account of a request that one of the decorators below has let through."""
    user = request.user
    if not isinstance(user, AccountUser):
        raise PermissionDenied
    return user


def staff_view(view: View) -> View:
    """A view for who has a branch to look at: others are sent to the login or, logged in, told whom to ask."""

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401
        if not (is_head_office(request.user) or branches_of(request.user).exists()):
            return render(request, "staff/no_branch.html", status=403)
        return view(request, *args, **kwargs)

    return guarded


def head_office_view(view: View) -> View:
    """A view for head office: others are sent to the login or, logged in, get 404."""

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401
        if not is_head_office(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def eraser_view(view: View) -> View:
    """A view for staff who may erase submissions: others get 404."""

    @staff_view
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401
        if not may_erase(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
