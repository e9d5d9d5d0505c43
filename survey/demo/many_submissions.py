"""Generate any number of submissions inside MariaDB, in seconds, to measure query plans and times."""

# ruff: noqa: S608  (the SQL is made of numbers and constants)

from __future__ import annotations

from datetime import date
from importlib import import_module

from django.db import connection
from django.utils import timezone

from survey.jobs import months
from survey.models import Branch, HourRollup, Submission
from survey.models.derived import submission_sums

TABLES = (
    "survey_response",
    "survey_responseterm",
    "survey_rollupday",
    "survey_dailyrollup",
    "survey_chainrollup",
    "survey_branchrollup",
    "survey_hourrollup",
    "survey_monthrollup",
    "survey_outgoingmail",
)
WORDS = ("排队", "服务员", "味道", "红烧肉", "卫生", "补菜", "环境", "价格", "甜品", "态度", "午餐", "米饭")


def fill_hours(today: date) -> list[str]:
    """Return the statements that count the hours of each day before today."""
    sums = "COUNT(*), SUM(satisfaction >= 4) FROM survey_response"
    return [
        f"""INSERT INTO survey_hourrollup (scope, local_date, hour, submissions, satisfied)
        SELECT {scope}, local_date, HOUR(created_at + INTERVAL 8 HOUR) hour_of_day, {sums}
        WHERE local_date < '{today}' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
        for scope in (HourRollup.CHAIN, "branch_id")
    ]


def fill(count: int, days: int, branches: int = 12) -> None:
    """Make `count` submissions over the last `days` days, with their terms and the daily figures of each day.

    A third has a comment of three words, a low score a mail that was sent.
    """
    Branch.objects.bulk_create(Branch(code=f"branch{number}", name=f"门店{number}") for number in range(branches))
    first = Branch.objects.order_by("pk").values_list("pk", flat=True)[0]
    # (seq * a prime) % m spreads evenly and is the same each time.
    score = "ELT(1 + (seq * 7919) % 20, 1,2,2,3,3,3,4,4,4,4,4,4,5,5,5,5,5,5,5,5)"
    today = timezone.localdate()
    day = f"(DATE '{today}' - INTERVAL ({days} - 1 - FLOOR(seq * {days} / ({count} + 1))) DAY)"
    words = ", ".join(f"'{word}'" for word in WORDS)
    three_words = ", ".join(f"ELT(1 + (seq * {prime}) % 12, {words})" for prime in (5, 7, 11))
    term_columns = "response_id, term, weight, branch_id, local_date, satisfaction"
    # Eight of the digits 2 to 9, as references have them: the first is 88888889.
    reference = "REPLACE(REPLACE(LPAD(CONV(seq, 10, 8), 8, '0'), '0', '8'), '1', '9')"
    statements = [
        f"""INSERT INTO survey_response (reference, branch_id, satisfaction, taste, service, recommend, problems,
        comment, name, phone, email, consent_version, content_digest, language, follow_up_status,
        created_at, local_date, terms_due, follow_up_closed_at)
        SELECT {reference}, {first} + (seq * 104729 + seq DIV {branches}) % {branches}, {score}, {score}, {score},
        (seq * 31) % 11, IF({score} <= 2, (seq * 13) % 256, 0), IF(seq % 3 = 0, CONCAT_WS('', {three_words}), ''),
        '', '', '', '', '', IF(seq % 20 = 0, 'en', 'zh-hans'),
        IF({score} <= 2, IF(seq % 50 = 1, 'open', 'solved'), ''), {day} + INTERVAL 2 + (seq * 37) % 12 HOUR,
        {day}, 0,
        IF({score} <= 2 AND seq % 50 <> 1, {day} + INTERVAL seq % 97 HOUR, NULL) FROM seq_1_to_{count}""",
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
    mail_columns = "response_id, kind, recipient, subject, body, message_id, status, attempts, next_attempt_at"
    statements += [
        f"""INSERT INTO survey_outgoingmail ({mail_columns}, last_error, created_at, sent_at)
        SELECT id, 'alert', 'manager@example.com', reference, reference, CONCAT(reference, '@example.com'), 'sent', 1,
        created_at, '', created_at, created_at FROM survey_response WHERE satisfaction <= 2""",
        "INSERT INTO survey_rollupday (local_date, counted_at, hours_counted_at, is_late, is_final) "
        f"SELECT DISTINCT local_date, '{today}', '{today}', 0, 1 FROM survey_response WHERE local_date < '{today}'",
    ]
    summed = import_module("survey.migrations.0018_chain_rollup")
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        # As survey.jobs.rollup counts a day, in one statement.
        keys = ("local_date", "branch_id", "language", "satisfaction")
        counted = Submission.objects.filter(local_date__lt=today).values(*keys)
        sql, parameters = counted.annotate(**submission_sums()).order_by().query.sql_with_params()
        sums = ", ".join("responses" if name == "submissions" else name for name in submission_sums())
        cursor.execute(
            f"INSERT INTO survey_dailyrollup (number, local_date, branch_id, language, satisfaction, {sums}) "
            f"SELECT ROW_NUMBER() OVER (PARTITION BY local_date ORDER BY branch_id), counts.* FROM ({sql}) counts",
            parameters,
        )
        for statement in (summed.FILL_CHAIN, summed.FILL_BRANCHES, *fill_hours(today)):
            cursor.execute(statement)
        months.add_up_months(3_600)
        cursor.execute(f"ANALYZE TABLE {', '.join(TABLES)}")
        cursor.fetchall()
