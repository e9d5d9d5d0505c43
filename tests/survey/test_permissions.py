"""Who may open and who may change what: every URL of the staff's pages and of the admin, for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project_settings
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver, resolve
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from survey.models import AttemptWindow, ErasureLog, Membership, OutgoingMail, Robot, RobotMessage, Submission
from survey.staff.accounts import head_office_group
from tests.support.chain import make_chain, make_submission

# Somebody without an account, the managers of one branch and of both, head office, a superuser, and a superuser who was
# deactivated while logged in.
ROLES = ("guest", "north", "south", "both", "head", "root", "off")

# The outcome of each request. `ok` is a page, `login` the way to the login, `away` a redirect to elsewhere, a number
# the status. `+` says that something was stored, changed or deleted; where there is none, nothing was.
# In braces stand others' objects. {north}, {south} and {nowhere} are submissions of the branches and of none; {member},
# {colleague} and {owner} are accounts of a manager of the south, of head office and of a superuser, with which nobody
# has logged in yet; {mail} is the owner's, as the release before queued it.
READING = """
                                                               guest  north  south  both   head   root   off
dashboard/                                                     login  ok     ok     ok     ok     ok     login
dashboard/?branch=south                                        login  404    ok     ok     ok     ok     login
dashboard/today/                                               login  ok     ok     ok     ok     ok     login
dashboard/compare/                                             login  ok     ok     ok     ok     ok     login
dashboard/compare/?branch=south                                login  404    ok     ok     ok     ok     login
dashboard/account/                                             login  ok     ok     ok     ok     ok     login
dashboard/compare/                                             login  ok     ok     ok     ok     ok     login
dashboard/news/?since=0                                        login  ok     ok     ok     ok     ok     login
dashboard/comments/                                            login  ok     ok     ok     ok     ok     login
dashboard/comments/?branch=south                               login  404    ok     ok     ok     ok     login
dashboard/follow-up/                                           login  ok     ok     ok     ok     ok     login
dashboard/follow-up/?branch=south&status=all                   login  404    ok     ok     ok     ok     login
dashboard/responses/{north}/                                   login  ok     404    ok     ok     ok     login
dashboard/responses/{south}/                                   login  404    ok     ok     ok     ok     login
dashboard/responses/{nowhere}/                                 login  404    404    404    ok     ok     login
dashboard/responses/{north}/owner/                             405    405    405    405    405    405    405
dashboard/responses/{north}/erase/                             login  404    404    404    ok     ok     login
dashboard/responses/{south}/erase/                             login  404    404    404    ok     ok     login
dashboard/erasures/                                            login  404    404    404    ok     ok     login
dashboard/export/?personal=1                                   login  ok     ok     ok     ok     ok     login
dashboard/export.csv?personal=1                                login  ok+    ok+    ok+    ok+    ok+    login
dashboard/export.csv?personal=1&branch=south                   login  404    ok+    ok+    ok+    ok+    login
dashboard/export.xlsx?personal=1                               login  ok+    ok+    ok+    ok+    ok+    login
dashboard/export.xlsx?personal=1&branch=south                  login  404    ok+    ok+    ok+    ok+    login
dashboard/branches/                                            login  ok     ok     ok     ok     ok     login
dashboard/branches/add/                                        login  404    404    404    ok     ok     login
dashboard/branches/north/                                      login  404    404    404    ok     ok     login
dashboard/branches/north/card/                                 login  ok     404    ok     ok     ok     login
dashboard/branches/south/card/                                 login  404    ok     ok     ok     ok     login
dashboard/branches/north/tables/                               login  ok     404    ok     ok     ok     login
dashboard/branches/south/tables/                               login  404    ok     ok     ok     ok     login
dashboard/branches/north/card.png                              login  ok     404    ok     ok     ok     login
dashboard/branches/south/card.png                              login  404    ok     ok     ok     ok     login
dashboard/cards/                                               login  ok     ok     ok     ok     ok     login
dashboard/questions/                                           login  404    404    404    ok     ok     login
dashboard/questions/aspect/add/                                login  404    404    404    ok     ok     login
dashboard/questions/aspect/taste/                              login  404    404    404    ok     ok     login
dashboard/questions/aspect/taste/change/                       login  404    404    404    405    405    login
dashboard/robots/                                              login  404    404    404    ok     ok     login
dashboard/robots/add/                                          login  404    404    404    ok     ok     login
dashboard/robots/{robot}/                                      login  404    404    404    ok     ok     login
dashboard/robots/{robot}/test/                                 login  404    404    404    405    405    login
dashboard/robots/{robot}/again/                                login  404    404    404    405    405    login
dashboard/brand/                                               login  404    404    404    ok     ok     login
dashboard/staff/                                               login  404    404    404    ok     ok     login
dashboard/staff/add/                                           login  404    404    404    ok     ok     login
dashboard/staff/{member}/                                      login  404    404    404    ok     ok     login
dashboard/staff/{colleague}/                                   login  404    404    404    ok     ok     login
dashboard/staff/{owner}/                                       login  404    404    404    404    404    login
dashboard/staff/{member}/invitation/                           login  404    404    404    405    405    login
dashboard/staff/{owner}/invitation/                            login  404    404    404    405    405    login
dashboard/login/                                               ok     away   away   away   away   away   ok
dashboard/logout/                                              405    405    405    405    405    405    405
dashboard/language/                                            away   away   away   away   away   away   away
dashboard/password/                                            login  ok     ok     ok     ok     ok     login
dashboard/password/forgotten/                                  ok     ok     ok     ok     ok     ok     ok
dashboard/password/sent/                                       ok     ok     ok     ok     ok     ok     ok
dashboard/password/{link}/                                     away   away   away   away   away   away   away
dashboard/password/{off_link}/                                 ok     ok     ok     ok     ok     ok     ok
admin/                                                         login  login  login  login  ok     ok     login
admin/login/                                                   login  404    404    404    404    404    login
admin/logout/                                                  away   away   away   away   405    405    away
admin/password_change/                                         login  login  login  login  ok     ok     login
admin/password_change/done/                                    login  login  login  login  ok     ok     login
admin/autocomplete/?{foreign_key}                              login  login  login  login  403    ok     login
admin/jsi18n/                                                  login  login  login  login  ok     ok     login
admin/r/{user_type}/{owner}/                                   login  login  login  login  404    404    login
admin/survey/                                                  login  login  login  login  ok     ok     login
admin/auth/                                                    login  login  login  login  404    ok     login
admin/nowhere/                                                 login  login  login  login  404    404    login
admin/survey/branch/                                           login  login  login  login  ok     ok     login
admin/survey/branch/?membership__user__password__startswith=p  login  login  login  login  400    400    login
admin/survey/branch/add/                                       login  login  login  login  ok     ok     login
admin/survey/branch/{branch}/                                  login  login  login  login  away   away   login
admin/survey/branch/{branch}/change/                           login  login  login  login  ok     ok     login
admin/survey/branch/{branch}/history/                          login  login  login  login  ok     ok     login
admin/survey/branch/{branch}/delete/                           login  login  login  login  403    ok     login
admin/survey/submission/                                       login  login  login  login  ok     ok     login
admin/survey/submission/?mails__body__contains=dashboard       login  login  login  login  400    400    login
admin/survey/submission/add/                                   login  login  login  login  403    403    login
admin/survey/submission/{submission}/                          login  login  login  login  away   away   login
admin/survey/submission/{submission}/change/                   login  login  login  login  ok     ok     login
admin/survey/submission/{submission}/history/                  login  login  login  login  ok     ok     login
admin/survey/submission/{submission}/delete/                   login  login  login  login  403    403    login
admin/survey/response/                                         away   away   away   away   away   away   away
admin/survey/outgoingmail/                                     login  login  login  login  ok     ok     login
admin/survey/outgoingmail/?q=owner                             login  login  login  login  ok     ok     login
admin/survey/outgoingmail/?body__contains=dashboard            login  login  login  login  400    400    login
admin/survey/outgoingmail/?account__password__startswith=p     login  login  login  login  400    400    login
admin/survey/outgoingmail/add/                                 login  login  login  login  403    403    login
admin/survey/outgoingmail/{mail}/                              login  login  login  login  away   away   login
admin/survey/outgoingmail/{mail}/change/                       login  login  login  login  ok     ok     login
admin/survey/outgoingmail/{mail}/history/                      login  login  login  login  ok     ok     login
admin/survey/outgoingmail/{mail}/delete/                       login  login  login  login  403    ok     login
admin/survey/erasurelog/                                       login  login  login  login  ok     ok     login
admin/survey/erasurelog/add/                                   login  login  login  login  403    403    login
admin/survey/erasurelog/{log}/                                 login  login  login  login  away   away   login
admin/survey/erasurelog/{log}/change/                          login  login  login  login  ok     ok     login
admin/survey/erasurelog/{log}/history/                         login  login  login  login  ok     ok     login
admin/survey/erasurelog/{log}/delete/                          login  login  login  login  403    403    login
admin/auth/group/                                              login  login  login  login  403    ok     login
admin/auth/group/add/                                          login  login  login  login  403    ok     login
admin/auth/group/{group}/                                      login  login  login  login  away   away   login
admin/auth/group/{group}/change/                               login  login  login  login  403    ok     login
admin/auth/group/{group}/history/                              login  login  login  login  403    ok     login
admin/auth/group/{group}/delete/                               login  login  login  login  403    ok     login
admin/auth/user/                                               login  login  login  login  403    ok     login
admin/auth/user/add/                                           login  login  login  login  403    ok     login
admin/auth/user/{owner}/                                       login  login  login  login  away   away   login
admin/auth/user/{owner}/change/                                login  login  login  login  403    ok     login
admin/auth/user/{owner}/history/                               login  login  login  login  403    ok     login
admin/auth/user/{owner}/delete/                                login  login  login  login  403    ok     login
admin/auth/user/{owner}/password/                              login  login  login  login  403    ok     login
"""

WRITING = """
                                               guest  north  south  both   head   root   off
dashboard/                                     405    405    405    405    405    405    405
dashboard/today/                               405    405    405    405    405    405    405
dashboard/compare/                             405    405    405    405    405    405    405
dashboard/account/                             login  away+  away+  away+  away+  away+  login
dashboard/compare/                             405    405    405    405    405    405    405
dashboard/news/                                405    405    405    405    405    405    405
dashboard/comments/                            405    405    405    405    405    405    405
dashboard/follow-up/                           405    405    405    405    405    405    405
dashboard/responses/{north}/                   login  away+  404    away+  away+  away+  login
dashboard/responses/{south}/                   login  404    away+  away+  away+  away+  login
dashboard/responses/{nowhere}/                 login  404    404    404    away+  away+  login
dashboard/responses/{north}/owner/             login  away+  404    away+  away+  away+  login
dashboard/responses/{south}/owner/             login  404    away+  away+  away+  away+  login
dashboard/responses/{north}/erase/             login  404    404    404    away+  away+  login
dashboard/responses/{south}/erase/             login  404    404    404    away+  away+  login
dashboard/erasures/                            405    405    405    405    405    405    405
dashboard/export/                              405    405    405    405    405    405    405
dashboard/export.csv                           405    405    405    405    405    405    405
dashboard/export.xlsx                          405    405    405    405    405    405    405
dashboard/branches/                            405    405    405    405    405    405    405
dashboard/branches/add/                        login  404    404    404    away+  away+  login
dashboard/branches/north/                      login  404    404    404    away+  away+  login
dashboard/branches/north/card/                 405    405    405    405    405    405    405
dashboard/branches/south/card/                 405    405    405    405    405    405    405
dashboard/branches/north/tables/               405    405    405    405    405    405    405
dashboard/branches/north/card.png              405    405    405    405    405    405    405
dashboard/branches/south/tables/               405    405    405    405    405    405    405
dashboard/branches/south/card.png              405    405    405    405    405    405    405
dashboard/cards/                               405    405    405    405    405    405    405
dashboard/questions/                           405    405    405    405    405    405    405
dashboard/questions/aspect/add/                login  404    404    404    away+  away+  login
dashboard/questions/aspect/taste/              login  404    404    404    away+  away+  login
dashboard/questions/aspect/taste/change/       login  404    404    404    away+  away+  login
dashboard/robots/                              405    405    405    405    405    405    405
dashboard/robots/add/                          login  404    404    404    away+  away+  login
dashboard/robots/{robot}/                      login  404    404    404    away+  away+  login
dashboard/robots/{robot}/test/                 login  404    404    404    away+  away+  login
dashboard/robots/{robot}/again/                login  404    404    404    away+  away+  login
dashboard/brand/                               login  404    404    404    away+  away+  login
dashboard/staff/                               405    405    405    405    405    405    405
dashboard/staff/add/                           login  404    404    404    away+  away+  login
dashboard/staff/{member}/                      login  404    404    404    away+  away+  login
dashboard/staff/{colleague}/                   login  404    404    404    away+  away+  login
dashboard/staff/{owner}/                       login  404    404    404    404    404    login
dashboard/staff/{member}/invitation/           login  404    404    404    away+  away+  login
dashboard/staff/{owner}/invitation/            login  404    404    404    404    404    login
dashboard/login/                               400    away   away   away   away   away   400
dashboard/logout/                              login  login  login  login  login  login  login
dashboard/language/                            away   away   away   away   away   away   away
dashboard/password/                            login  ok     ok     ok     ok     ok     login
dashboard/password/forgotten/                  away+  away+  away+  away+  away+  away+  away+
dashboard/password/sent/                       405    405    405    405    405    405    405
dashboard/password/{link}/                     away   away   away   away   away   away   away
dashboard/password/{off_link}/                 ok     ok     ok     ok     ok     ok     ok
admin/                                         login  login  login  login  ok     ok     login
admin/login/                                   405    405    405    405    405    405    405
admin/logout/                                  away   away   away   away   login  login  away
admin/password_change/                         login  login  login  login  ok     ok     login
admin/password_change/done/                    login  login  login  login  405    405    login
admin/autocomplete/                            login  login  login  login  405    405    login
admin/jsi18n/                                  login  login  login  login  405    405    login
admin/r/{user_type}/{owner}/                   login  login  login  login  404    404    login
admin/survey/                                  login  login  login  login  ok     ok     login
admin/auth/                                    login  login  login  login  404    ok     login
admin/nowhere/                                 login  login  login  login  404    404    login
admin/survey/branch/                           login  login  login  login  ok     ok     login
admin/survey/branch/add/                       login  login  login  login  away+  away+  login
admin/survey/branch/{branch}/                  login  login  login  login  away   away   login
admin/survey/branch/{branch}/change/           login  login  login  login  away+  away+  login
admin/survey/branch/{branch}/history/          login  login  login  login  ok     ok     login
admin/survey/branch/{branch}/delete/           login  login  login  login  403    ok     login
admin/survey/submission/                       login  login  login  login  ok     ok     login
admin/survey/submission/add/                   login  login  login  login  403    403    login
admin/survey/submission/{submission}/          login  login  login  login  away   away   login
admin/survey/submission/{submission}/change/   login  login  login  login  403    403    login
admin/survey/submission/{submission}/history/  login  login  login  login  ok     ok     login
admin/survey/submission/{submission}/delete/   login  login  login  login  403    403    login
admin/survey/response/                         away   away   away   away   away   away   away
admin/survey/outgoingmail/                     login  login  login  login  away   away+  login
admin/survey/outgoingmail/?status=failed       login  login  login  login  away+  away+  login
admin/survey/outgoingmail/add/                 login  login  login  login  403    403    login
admin/survey/outgoingmail/{mail}/              login  login  login  login  away   away   login
admin/survey/outgoingmail/{mail}/change/       login  login  login  login  403    403    login
admin/survey/outgoingmail/{mail}/history/      login  login  login  login  ok     ok     login
admin/survey/outgoingmail/{mail}/delete/       login  login  login  login  403    away+  login
admin/survey/erasurelog/                       login  login  login  login  ok     ok     login
admin/survey/erasurelog/add/                   login  login  login  login  403    403    login
admin/survey/erasurelog/{log}/                 login  login  login  login  away   away   login
admin/survey/erasurelog/{log}/change/          login  login  login  login  403    403    login
admin/survey/erasurelog/{log}/history/         login  login  login  login  ok     ok     login
admin/survey/erasurelog/{log}/delete/          login  login  login  login  403    403    login
admin/auth/group/                              login  login  login  login  403    away+  login
admin/auth/group/add/                          login  login  login  login  403    away+  login
admin/auth/group/{group}/                      login  login  login  login  away   away   login
admin/auth/group/{group}/change/               login  login  login  login  403    away+  login
admin/auth/group/{group}/history/              login  login  login  login  403    ok     login
admin/auth/group/{group}/delete/               login  login  login  login  403    away+  login
admin/auth/user/                               login  login  login  login  403    away+  login
admin/auth/user/add/                           login  login  login  login  403    away+  login
admin/auth/user/{owner}/                       login  login  login  login  away   away   login
admin/auth/user/{owner}/change/                login  login  login  login  403    away+  login
admin/auth/user/{owner}/history/               login  login  login  login  403    ok     login
admin/auth/user/{owner}/delete/                login  login  login  login  403    away+  login
admin/auth/user/{owner}/password/              login  login  login  login  403    away+  login
"""

# What is posted, as far as it takes more than the CSRF token.
ACCOUNT = {"first_name": "X", "email": "taken@example.com", "role": "head", "is_active": "on", "is_superuser": "on"}
BRANCH = {"code": "west", "name": "西店", "is_open": "on"}
ROBOT = {"name": "x", "service": "wecom", "webhook": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1"}
NEW_PASSWORD = {"new_password1": "another long phrase", "new_password2": "another long phrase"}
USER = {
    "username": "x",
    "is_active": "on",
    "is_superuser": "on",
    "date_joined_0": "2026-01-01",
    "date_joined_1": "00:00",
}
FORMS: dict[str, dict[str, str]] = {
    "dashboard/responses/{north}/": {"status": "solved", "shown": "open", "text": "called"},
    "dashboard/responses/{south}/": {"status": "solved", "shown": "open", "text": "called"},
    "dashboard/responses/{nowhere}/": {"status": "solved", "shown": "open", "text": "called"},
    "dashboard/responses/{north}/owner/": {"owner": "", "shown": ""},
    "dashboard/responses/{south}/owner/": {"owner": "", "shown": ""},
    "dashboard/responses/{north}/erase/": {"decision": "erase"},
    "dashboard/responses/{south}/erase/": {"decision": "erase"},
    "dashboard/branches/add/": BRANCH,
    "dashboard/branches/north/": BRANCH,
    "dashboard/questions/aspect/add/": {"label": "停车", "label_en": "Parking"},
    "dashboard/questions/aspect/taste/": {"label": "味道", "label_en": "Flavour"},
    "dashboard/questions/aspect/taste/change/": {"action": "retire"},
    "dashboard/robots/add/": ROBOT,
    "dashboard/robots/{robot}/": ROBOT,
    "dashboard/brand/": {"name": "小满", "color": "#0a7d3f"},
    "dashboard/staff/add/": ACCOUNT,
    "dashboard/staff/{member}/": ACCOUNT,
    "dashboard/staff/{colleague}/": ACCOUNT,
    "dashboard/staff/{owner}/": ACCOUNT,
    "dashboard/login/": {"username": "owner", "password": "wrong"},
    "dashboard/account/": {"digest": "on", "language": "en"},
    "dashboard/language/": {"language": "en", "next": "/dashboard/"},
    "dashboard/password/": {"old_password": "wrong", **NEW_PASSWORD},
    "dashboard/password/forgotten/": {"email": "owner@example.com"},
    "dashboard/password/{link}/": NEW_PASSWORD,
    "dashboard/password/{off_link}/": NEW_PASSWORD,
    "admin/password_change/": {"old_password": "wrong", **NEW_PASSWORD},
    "admin/survey/branch/": {"action": "delete_selected", "_selected_action": "{branch}", "post": "yes"},
    "admin/survey/branch/add/": BRANCH,
    "admin/survey/branch/{branch}/change/": BRANCH,
    "admin/survey/branch/{branch}/delete/": {"post": "yes"},
    "admin/survey/submission/": {"action": "delete_selected", "_selected_action": "{submission}", "post": "yes"},
    "admin/survey/submission/add/": {"satisfaction": "5"},
    "admin/survey/submission/{submission}/change/": {"satisfaction": "5"},
    "admin/survey/submission/{submission}/delete/": {"post": "yes"},
    "admin/survey/outgoingmail/": {"action": "delete_selected", "_selected_action": "{mail}", "post": "yes"},
    "admin/survey/outgoingmail/?status=failed": {"action": "requeue", "_selected_action": "{mail}"},
    "admin/survey/outgoingmail/add/": {"kind": "account", "recipient": "head@example.com"},
    "admin/survey/outgoingmail/{mail}/change/": {"recipient": "head@example.com", "account": "{owner}"},
    "admin/survey/outgoingmail/{mail}/delete/": {"post": "yes"},
    "admin/survey/erasurelog/": {"action": "delete_selected", "_selected_action": "{log}", "post": "yes"},
    "admin/survey/erasurelog/{log}/delete/": {"post": "yes"},
    "admin/auth/group/": {"action": "delete_selected", "_selected_action": "{group}", "post": "yes"},
    "admin/auth/group/add/": {"name": "x"},
    "admin/auth/group/{group}/change/": {"name": "x"},
    "admin/auth/group/{group}/delete/": {"post": "yes"},
    "admin/auth/user/": {"action": "delete_selected", "_selected_action": "{owner}", "post": "yes"},
    "admin/auth/user/add/": {"username": "x", "usable_password": "false"},
    "admin/auth/user/{owner}/change/": USER,
    "admin/auth/user/{owner}/delete/": {"post": "yes"},
    "admin/auth/user/{owner}/password/": {
        "usable_password": "true",
        "password1": "a long phrase",
        "password2": "a long phrase",
    },
}
# The comments of the submissions, by what the tables call them.
COMMENTS = {"north": "NORTHERN", "south": "SOUTHERN", "nowhere": "BRANCHLESS"}
SEES = {
    "north": {"NORTHERN"},
    "south": {"SOUTHERN"},
    "both": {"NORTHERN", "SOUTHERN"},
    "head": set(COMMENTS.values()),
    "root": set(COMMENTS.values()),
}
TOKEN = "cxyz12-0123456789abcdef"  # of the link in {mail}
LOGINS = ("/dashboard/login/", "/admin/login/")  # the second sends on to the first, or says 404 to who is logged in
WRITES = ("INSERT", "UPDATE", "DELETE")
UNCOUNTED = (Session._meta.db_table, AttemptWindow._meta.db_table)  # sessions, and what the throttles count


@dataclass
class World:
    """The objects that the tables name in braces, and a session of each role that logs in."""

    objects: dict[str, str]
    sessions: dict[str, str]
    superusers: list[dict[str, Any]]

    def client(self, role: str) -> Client:
        client = Client(raise_request_exception=False)
        if role in self.sessions:
            client.cookies[project_settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return client


@pytest.fixture
def world(db: None, settings: Any) -> World:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # some posts compare one
    chain = make_chain()
    both, member, colleague = (
        User.objects.create_user(f"{name}@example.com", f"{name}@example.com")
        for name in ("both", "member", "colleague")
    )
    Membership.objects.bulk_create(
        Membership(user=user, branch=branch)
        for user, branch in ((both, chain.north), (both, chain.south), (member, chain.south))
    )
    colleague.groups.add(head_office_group())
    User.objects.filter(pk__in=(chain.head.pk, colleague.pk)).update(is_staff=True)  # as the staff page does
    root, off, owner = (User.objects.create_superuser(name, f"{name}@example.com") for name in ("root", "off", "owner"))
    people = dict(zip(ROLES[1:], (chain.north_manager, chain.south_manager, both, chain.head, root, off), strict=True))
    sessions = {role: session_of(user) for role, user in people.items()}
    User.objects.filter(pk=off.pk).update(is_active=False)
    references = {
        name: make_submission(branch, 1, comment=COMMENTS[name]).reference
        for name, branch in (("north", chain.north), ("south", chain.south), ("nowhere", None))
    }
    mail = OutgoingMail.objects.create(
        kind=OutgoingMail.Kind.ACCOUNT,
        status=OutgoingMail.Status.FAILED,
        recipient=owner.email,
        message_id="<1.account@survey>",
        body=f"https://survey.example.com/dashboard/password/MQ/{TOKEN}/\n",
    )
    erased = Submission.objects.get(reference=references["nowhere"])
    robot = Robot.objects.create(name="x", service="wecom", webhook="https://127.0.0.1:1/x?key=1")
    RobotMessage.objects.create(robot=robot, submission=erased, kind="alert", status=RobotMessage.Status.FAILED)
    keys = {
        "robot": robot,
        "log": ErasureLog.objects.create(submission=erased, event=ErasureLog.Event.STAFF, user=chain.head),
        "branch": chain.north,
        "submission": Submission.objects.get(reference=references["south"]),
        "member": member,
        "colleague": colleague,
        "owner": owner,
        "mail": mail,
        "group": Group.objects.get(),
        "user_type": ContentType.objects.get_for_model(User),
    }
    lookup = {"foreign_key": "app_label=survey&model_name=outgoingmail&field_name=account&term=owner"}
    links = {"link": link_to(member), "off_link": link_to(User.objects.get(pk=off.pk))}
    return World(
        {**references, **links, **lookup, **{name: str(row.pk) for name, row in keys.items()}}, sessions, superusers()
    )


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[project_settings.SESSION_COOKIE_NAME].value


def link_to(user: User) -> str:
    return f"{urlsafe_base64_encode(force_bytes(user.pk))}/{default_token_generator.make_token(user)}"


def table(text: str) -> dict[str, list[str]]:
    """Return the outcomes of a table's lines, by path."""
    lines = [line.split() for line in text.strip().splitlines()]
    assert tuple(lines[0]) == ROLES
    return {path: outcomes for path, *outcomes in lines[1:]}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """Yield every route below a resolver, spelled as in `resolve(path).route`."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        else:
            yield route


def ask(world: World, role: str, method: str, path: str) -> tuple[str, str]:
    """Make a request, roll it back, and return its outcome and the text of its page."""
    form = {name: value.format(**world.objects) for name, value in FORMS.get(path, {}).items()}
    url = "/" + path.format(**world.objects)
    with transaction.atomic():
        with CaptureQueriesContext(connection) as queries:
            response: Any = world.client(role).get(url) if method == "GET" else world.client(role).post(url, form)
            text = response.getvalue().decode(errors="replace")
        assert method == "GET" or role == "root" or superusers() == world.superusers, f"{role} changed a superuser"
        transaction.set_rollback(True)
    statements = [query["sql"] for query in queries if not any(name in query["sql"] for name in UNCOUNTED)]
    outcome = "ok" if response.status_code == 200 else str(response.status_code)
    if response.status_code in (301, 302):
        outcome = "login" if response["Location"].startswith(LOGINS) else "away"
    return outcome + "+" * any(statement.startswith(WRITES) for statement in statements), text


def superusers() -> list[dict[str, Any]]:
    return list(User.objects.filter(is_superuser=True).order_by("pk").values())


def test_every_url_is_in_both_tables(world: World) -> None:
    urls = {route for route in routes(get_resolver()) if route.startswith(("dashboard/", "admin/"))}
    for text in (READING, WRITING):
        paths = [urlsplit("/" + path.format(**world.objects)).path for path in table(text)]
        assert {resolve(path).route for path in paths} == urls


def test_who_may_read_what(world: World) -> None:
    seen: dict[str, list[str]] = {}
    for path in table(READING):
        for role in ROLES:
            outcome, text = ask(world, role, "GET", path)
            seen.setdefault(path, []).append(outcome)
            shown = {comment for comment in COMMENTS.values() if comment in text}
            assert shown <= SEES.get(role, set()), f"{path} shows {role} {shown}"
            assert TOKEN not in text, f"{path} shows {role} the link to the owner's account"
    assert seen == table(READING)


def test_who_may_change_what(world: World) -> None:
    done = {path: [ask(world, role, "POST", path)[0] for role in ROLES] for path in table(WRITING)}
    assert done == table(WRITING)
