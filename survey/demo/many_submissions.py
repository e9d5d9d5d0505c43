"""Very many submissions, made by MariaDB itself in seconds: for query plans and timings, not for reading."""

# ruff: noqa: S608  (the SQL is made of numbers and constants)

from __future__ import annotations

from django.db import connection

from survey.jobs import rollup
from survey.models import Branch

TABLES = ("survey_response", "survey_responseterm", "survey_dailyrollup")
WORDS = ("排队", "服务员", "味道", "红烧肉", "卫生", "补菜", "环境", "价格", "甜品", "态度", "午餐", "米饭")


def fill(count: int, days: int) -> None:
    """Make `count` submissions over the last `days` days in 12 branches, with their terms and daily figures.

    A third has a comment of three words.
    """
    Branch.objects.bulk_create(Branch(code=f"branch{number}", name=f"门店{number}") for number in range(12))
    first = Branch.objects.order_by("pk").values_list("pk", flat=True)[0]
    # (seq * a prime) % m spreads evenly and is the same each time.
    score = "ELT(1 + (seq * 7919) % 20, 1,2,2,3,3,3,4,4,4,4,4,4,5,5,5,5,5,5,5,5)"
    day = f"(CURRENT_DATE - INTERVAL ({days} - 1 - FLOOR(seq * {days} / ({count} + 1))) DAY)"
    words = ", ".join(f"'{word}'" for word in WORDS)
    three_words = ", ".join(f"ELT(1 + (seq * {prime}) % 12, {words})" for prime in (5, 7, 11))
    term_columns = "response_id, term, weight, branch_id, local_date, satisfaction"
    # Eight of the digits 2 to 9, as references have them: the first is 88888889.
    reference = "REPLACE(REPLACE(LPAD(CONV(seq, 10, 8), 8, '0'), '0', '8'), '1', '9')"
    statements = [
        f"""INSERT INTO survey_response (reference, branch_id, satisfaction, taste, service, recommend, problems,
        comment, name, phone, email, consent_version, content_digest, language, follow_up_status,
        created_at, local_date, terms_due)
        SELECT {reference}, {first} + (seq * 104729) % 12, {score}, {score}, {score},
        (seq * 31) % 11, IF({score} <= 2, (seq * 13) % 256, 0), IF(seq % 3 = 0, CONCAT_WS('', {three_words}), ''),
        '', '', '', '', '', IF(seq % 20 = 0, 'en', 'zh-hans'),
        IF({score} <= 2, IF(seq % 50 = 1, 'open', 'solved'), ''), {day}, {day}, 0 FROM seq_1_to_{count}""",
        f"""INSERT IGNORE INTO survey_responseterm ({term_columns})
        SELECT r.id, ELT(1 + (r.id * ELT(s.seq, 5, 7, 11)) % 12, {words}), 1 + r.id % 7, r.branch_id, r.local_date,
        r.satisfaction FROM survey_response r JOIN seq_1_to_3 s WHERE r.comment <> '' ORDER BY r.id""",
    ]
    statements += [  # characters and pairs, as survey.term_index writes them
        f"""INSERT IGNORE INTO survey_responseterm ({term_columns})
        SELECT r.id, SUBSTRING(r.comment, s.seq, {length}), 0, r.branch_id, r.local_date, r.satisfaction
        FROM survey_response r JOIN seq_1_to_9 s ON s.seq <= CHAR_LENGTH(r.comment) + 1 - {length}
        WHERE r.comment <> '' ORDER BY r.id"""
        for length in (1, 2)
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    rollup.count_days(3_600)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {', '.join(TABLES)}")
        cursor.fetchall()
