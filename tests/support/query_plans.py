"""The plans of MariaDB for the staff's pages at 50,000 submissions.

`python -m tests.support.query_plans` (with MYSQL_HOST and the rest naming the server) prints, as JSON, every query on
a large table with its plan.
"""

from __future__ import annotations

import json
import re
import time
from itertools import chain
from unittest import mock

import django
from django.test import Client

FILTERED = "/dashboard/?days=365&score=low&language=en"
HEAD_OFFICE = (
    "/dashboard/",
    "/dashboard/today/",
    "/dashboard/compare/",
    "/dashboard/compare/?days=365",
    "/dashboard/compare/?days=365&branch=branch3",
    "/dashboard/compare/?days=365&branch=branch3&branch=branch4",
    "/dashboard/?branch=branch3",
    "/dashboard/?days=90&score=low&language=en",
    FILTERED,
    "/dashboard/?days=365",
    "/dashboard/?days=365&branch=branch3&language=en",
    "/dashboard/comments/",
    "/dashboard/comments/?branch=branch3",
    "/dashboard/comments/?q=排队",
    "/dashboard/comments/?q=排队&branch=branch3",
    "/dashboard/comments/?q=服务员 米饭 甜",
    "/dashboard/comments/?q=服务员米饭",
    "/dashboard/follow-up/",
    "/dashboard/follow-up/?branch=branch3&status=solved",
    "/dashboard/follow-up/?status=mine",
    "/dashboard/follow-up/?status=all",
    "/dashboard/follow-up/?status=all&problem=cold",
    "/dashboard/follow-up/?days=30&status=all&score=1",
    "/dashboard/follow-up/?days=30&branch=branch3&problem=dirty",
    "/dashboard/comments/?problem=cold",
    "/dashboard/comments/?table=A12&days=365",
    "/dashboard/follow-up/?table=A12&status=all&days=365",
    "/dashboard/responses/88888889/",
    "/dashboard/news/?since={now}",
    "/dashboard/questions/",
    "/dashboard/robots/",
    "/dashboard/erasures/",
    "/dashboard/export/",
    "/dashboard/export.csv?days=7&personal=1",
    "/dashboard/export.csv?days=7&branch=branch3",
    "/dashboard/export.csv?days=7&status=open",
    "/dashboard/branches/",
    "/admin/survey/submission/",
    "/admin/survey/submission/?q=88888889",
    "/admin/survey/submission/?branch__id__exact=3&satisfaction__exact=1",
    "/admin/survey/outgoingmail/",
    "/admin/survey/outgoingmail/?q=88888889",
)
# Of two branches: no index has their order.
MANAGER = (
    "/dashboard/",
    "/dashboard/today/",
    "/dashboard/compare/",
    "/dashboard/compare/?days=365",
    "/dashboard/?days=365",
    "/dashboard/comments/?days=365",
    "/dashboard/comments/?days=365&q=排队",
    "/dashboard/follow-up/",
    "/dashboard/follow-up/?days=365&status=all",
    "/dashboard/follow-up/?status=mine",
    "/dashboard/news/?since={now}",
    "/dashboard/export/",
)


def prepare(count: int, days: int) -> list[tuple[Client, tuple[str, ...]]]:
    """Migrate, fill, and return a client for each account, with its pages."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from survey.demo import many_submissions
    from survey.models import Branch, Membership

    call_command("migrate", verbosity=0)
    many_submissions.fill(count, days)
    head, manager = User.objects.create_superuser("head"), User.objects.create_user("manager")
    Membership.objects.bulk_create(Membership(user=manager, branch=branch) for branch in Branch.objects.all()[:2])
    clients = (Client(), Client())
    for client, user in zip(clients, (head, manager), strict=True):
        client.force_login(user)
    return list(zip(clients, (HEAD_OFFICE, MANAGER), strict=True))


def plans_of_many(head: Client, manager: Client) -> list[dict[str, object]]:
    """Return the plans of pages whose branches count as many: a manager's, and a filtered one of head office."""
    from survey.staff import figures, filters

    with mock.patch.object(filters, "MANY_BRANCHES", 1), mock.patch.object(figures, "LISTED", 1):
        found = [*plans(head, (FILTERED,)), *plans(manager, MANAGER)]
    return [{**plan, "is_of_many": True} for plan in found]


def selects(query: dict[str, str]) -> list[str]:
    """Return the selects that `survey.staff.statements.run` sent as one statement; of any other, the statement."""
    return re.split(r" UNION ALL (?=SELECT \d+ part, )", query["sql"])


def plans(client: Client, pages: tuple[str, ...]) -> list[dict[str, object]]:
    """Return every SELECT of every page on a large table, with its plan; `{now}` in a page is the time."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from survey.demo.many_submissions import TABLES

    found: list[dict[str, object]] = []
    for page in pages:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(page.format(now=int(time.time())))
            response.getvalue()
        assert response.status_code == 200, page
        for sql in chain.from_iterable(map(selects, queries.captured_queries)):
            # A UNION begins with a parenthesis, SQL of our own with a line break.
            if sql.lstrip(" \n(").startswith("SELECT") and any(table in sql for table in TABLES):
                with connection.cursor() as cursor:
                    cursor.execute("EXPLAIN " + sql.replace("%", "%%"), ())
                    columns = [column[0] for column in cursor.description]
                    plan = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
                found.append({"page": page, "sql": sql, "plan": plan})
    return found


if __name__ == "__main__":
    django.setup()
    accounts = prepare(50_000, 730)
    found = [plan for client, pages in accounts for plan in plans(client, pages)]
    print(json.dumps(found + plans_of_many(*(client for client, _pages in accounts)), default=str))
