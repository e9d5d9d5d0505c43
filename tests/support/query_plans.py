"""The plans of MariaDB for the staff's pages at 50,000 submissions.

`python -m tests.support.query_plans` (with MYSQL_HOST and the rest naming the server) prints, as JSON, every query on
the three large tables with its plan.
"""

from __future__ import annotations

import json

import django

PAGES = (
    "",
    "?branch=branch3",
    "?days=90&score=low&language=en",
    "?days=365",
    "?days=365&branch=branch3&language=en",
    "comments/",
    "comments/?branch=branch3",
    "comments/?q=排队",
    "comments/?q=排队&branch=branch3",
    "comments/?q=服务员 米饭 甜",
    "comments/?q=服务员米饭",
    "follow-up/",
    "follow-up/?branch=branch3&status=solved",
    "follow-up/?status=all",
    "follow-up/?status=all&problem=cold",
    "follow-up/?days=30&status=all&score=1",
    "follow-up/?days=30&branch=branch3&problem=dirty",
    "comments/?problem=cold",
    "responses/88888889/",
    "export/",
    "export.csv?days=7&personal=1",
    "export.csv?days=7&branch=branch3",
    "branches/",
)


def prepare(count: int, days: int) -> object:
    """Migrate, fill, and return a client that is logged in for head office."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    from survey.demo import many_submissions

    call_command("migrate", verbosity=0)
    many_submissions.fill(count, days)
    client = Client()
    client.force_login(User.objects.create_superuser("head"))
    return client


def plans(client: object) -> list[dict[str, object]]:
    """Return every SELECT of every page on a large table, with its plan."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from survey.demo.many_submissions import TABLES

    found: list[dict[str, object]] = []
    for page in PAGES:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(f"/dashboard/{page}")  # type: ignore[attr-defined]
            response.getvalue()
        assert response.status_code == 200, page
        for query in queries.captured_queries:
            sql = query["sql"]
            if sql.startswith("SELECT") and any(table in sql for table in TABLES):
                with connection.cursor() as cursor:
                    cursor.execute("EXPLAIN " + sql.replace("%", "%%"), ())
                    columns = [column[0] for column in cursor.description]
                    plan = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
                found.append({"page": page, "sql": sql, "plan": plan})
    return found


if __name__ == "__main__":
    django.setup()
    print(json.dumps(plans(prepare(50_000, 730)), default=str))
