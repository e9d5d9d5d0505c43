"""Fill MariaDB with very many submissions in seconds, for query plans and benchmarks.

`python -m tests.support.many`, with MYSQL_HOST and the other variables of a server, inserts 50,000 and prints every
query of the staff's pages on the three large tables with MariaDB's plan, as JSON.
"""

from __future__ import annotations

import json

import django

TABLES = ("survey_response", "survey_responseterm", "survey_dailyrollup")
WORDS = ("排队", "服务员", "味道", "红烧肉", "卫生", "补菜", "环境", "价格", "甜品", "态度", "午餐", "米饭")
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
    "follow-up/",
    "follow-up/?branch=branch3&status=solved",
    "follow-up/?status=all",
    "follow-up/?status=all&problem=cold",
    "follow-up/?days=30&status=all&score=1",
    "follow-up/?days=30&branch=branch3&problem=dirty",
    "comments/?problem=cold",
    "responses/R1/",
    "export/",
    "export.csv?days=7&personal=1",
    "export.csv?days=7&branch=branch3",
    "branches/",
)


def fill(count: int, days: int) -> None:
    """Insert `count` submissions of the last `days` days in 12 branches, a third with a comment of three words."""
    from django.db import connection

    from survey.models import Branch

    Branch.objects.bulk_create(Branch(code=f"branch{number}", name=f"门店{number}") for number in range(12))
    first = Branch.objects.order_by("pk").values_list("pk", flat=True)[0]
    # (seq * a prime) % m spreads evenly and is the same each time.
    score = "ELT(1 + (seq * 7919) % 20, 1,2,2,3,3,3,4,4,4,4,4,4,5,5,5,5,5,5,5,5)"
    day = f"(CURRENT_DATE - INTERVAL ({days} - 1 - FLOOR(seq * {days} / ({count} + 1))) DAY)"
    words = ", ".join(f"'{word}'" for word in WORDS)
    comment = (
        f"IF(seq % 3 = 0, CONCAT_WS('', {', '.join(f'ELT(1 + (seq * {p}) % 12, {words})' for p in (5, 7, 11))}), '')"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO survey_response (reference, branch_id, satisfaction, taste, service, recommend, problems,
            comment, name, phone, email, consent_version, content_digest, language, follow_up_status,
            created_at, local_date, terms_due)
            SELECT CONCAT('R', seq), {first} + (seq * 104729) % 12, {score}, {score}, {score},
            (seq * 31) % 11, IF({score} <= 2, (seq * 13) % 256, 0), {comment},
            '', '', '', '', '', IF(seq % 20 = 0, 'en', 'zh-hans'),
            IF({score} <= 2, IF(seq % 50 = 1, 'open', 'solved'), ''), {day}, {day}, 0 FROM seq_1_to_{count}"""
        )
        cursor.execute(
            f"""INSERT IGNORE INTO survey_responseterm (response_id, term, weight, branch_id, local_date, satisfaction)
            SELECT r.id, ELT(1 + (r.id * ELT(s.seq, 5, 7, 11)) % 12, {words}), 1 + r.id % 7, r.branch_id, r.local_date,
            r.satisfaction FROM survey_response r JOIN seq_1_to_3 s WHERE r.comment <> '' ORDER BY r.id"""
        )
        for length in (1, 2):  # characters and pairs, as survey.term_index writes them
            cursor.execute(
                f"""INSERT IGNORE INTO survey_responseterm
                (response_id, term, weight, branch_id, local_date, satisfaction)
                SELECT r.id, SUBSTRING(r.comment, s.seq, {length}), 0, r.branch_id, r.local_date, r.satisfaction
                FROM survey_response r JOIN seq_1_to_9 s ON s.seq <= CHAR_LENGTH(r.comment) + 1 - {length}
                WHERE r.comment <> '' ORDER BY r.id"""
            )


def prepare(count: int, days: int) -> object:
    """Migrate, fill and count days; return a client logged in as head office."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from survey.jobs import rollup

    call_command("migrate", verbosity=0)
    fill(count, days)
    rollup.count_days(3_600)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {', '.join(TABLES)}")
        cursor.fetchall()
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    return client


def plans(client: object) -> list[dict[str, object]]:
    """Return every SELECT of the pages on a large table, with its plan."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

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
