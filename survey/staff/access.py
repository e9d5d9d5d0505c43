"""Access rules: head office sees everything, a branch manager the submissions of their branches, others nothing.

Every view for staff has one of the decorators `staff_view`, `head_office_view` and `eraser_view`, and reads through
`branches_of` and `submissions_of`. Another branch's submission is 404, not 403, which would reveal that it exists.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.models import User as AccountUser
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache

from survey.chain import text_in
from survey.models import Branch, Membership, Submission

User = AbstractBaseUser | AnonymousUser
View = Callable[..., HttpResponseBase]


_HEAD_OFFICE, _ERASE = "act_for_head_office", "erase_submission"
# Which of the two permissions an account has, itself or by a group.
_PERMISSIONS = f"""
SELECT p.codename FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id
WHERE t.app_label = 'survey' AND p.codename IN ('{_HEAD_OFFICE}', '{_ERASE}') AND (
    p.id IN (SELECT permission_id FROM auth_user_user_permissions WHERE user_id = %s)
    OR p.id IN (
        SELECT of_group.permission_id FROM auth_group_permissions of_group
        JOIN auth_user_groups member ON member.group_id = of_group.group_id WHERE member.user_id = %s
    )
)
"""  # noqa: S608


_KEPT = "survey_permissions"  # the attribute of an account that has their names


def is_head_office(user: User) -> bool:
    """Return whether the user sees every branch, and the submissions without one."""
    return _has_permission(user, _HEAD_OFFICE)


def may_erase(user: User) -> bool:
    """Return whether the user may erase the submissions that they see."""
    return _has_permission(user, _ERASE)


def _has_permission(user: User, codename: str) -> bool:
    """Return whether the user has the permission, _HEAD_OFFICE or _ERASE, as `has_perm` does.

    Django compiles and sends two statements for it, a tenth of the CPU of each page for staff. Kept as Django keeps
    them: with the object of the account, which is a request's own.
    """
    if not isinstance(user, AccountUser) or not user.is_active or user.is_superuser:
        return bool(user.is_active)
    if not hasattr(user, _KEPT):
        with connection.cursor() as cursor:
            cursor.execute(_PERMISSIONS, [user.pk, user.pk])
            setattr(user, _KEPT, {name for (name,) in cursor.fetchall()})
    return codename in getattr(user, _KEPT)


def branches_of(user: User) -> QuerySet[Branch]:
    """Return the branches that the user may see."""
    if is_head_office(user):
        return Branch.objects.all()
    return Branch.objects.filter(membership__user=user.pk) if user.pk else Branch.objects.none()


class BranchName(NamedTuple):
    """A branch as filters and tables name it."""

    pk: int
    code: str
    local_name: str


def named_branches(user: User) -> list[BranchName]:
    """Return the branches that the user may see, by code, named in the current language.

    In SQL, since Django compiles the query anew for each page. Of a chain of 2,000 branches, objects would take a fifth
    of a page's CPU.
    """
    language = get_language() or ""
    where = "" if is_head_office(user) else "WHERE id IN (SELECT branch_id FROM survey_membership WHERE user_id = %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, code, name, name_en FROM survey_branch {where} ORDER BY code",  # noqa: S608
            [user.pk] if where else None,
        )
        rows = cursor.fetchall()
    return [BranchName(pk, code, text_in(language, name, name_en)) for pk, code, name, name_en in rows]


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
