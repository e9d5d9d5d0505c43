"""How long do the staff's pages take? `python -m benchmarks.dashboard [SUBMISSIONS [BRANCHES]]`, 1,000,000 of 12

Requests each page of a private MariaDB through Django's test client, the database's time included, and prints median
and range of 9 warm requests, and the median of the CPU time of both, which other load changes less. The exit code is 1
where a median is 300 ms or more, 1 s or more above 1,000,000 submissions. The CSV export is measured in rows a second.
5,000,000 submissions take a quarter of an hour to make.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import time

import django
from django.db import connection
from django.test import Client

from benchmarks.servers import PRODUCTION, mariadb

DAYS = 1_000
RUNS = 9
FAST = (
    "--innodb-buffer-pool-size=2G",
    "--innodb-log-file-size=1G",
    "--innodb-flush-log-at-trx-commit=0",
    "--skip-innodb-doublewrite",
    "--userstat=1",  # for the CPU time of a session
)
HEAD_OFFICE = (
    "/dashboard/today/",
    "/dashboard/compare/",
    "/dashboard/compare/?days=365",
    "/dashboard/compare/?days=365&branch=branch3",
    "/dashboard/compare/?days=365&branch=branch3&branch=branch4",
    "/dashboard/?days=30",
    "/dashboard/?days=90",
    "/dashboard/?days=365",
    "/dashboard/?score=low&language=en&days=365",
    "/dashboard/comments/",
    "/dashboard/comments/?days=365",
    "/dashboard/comments/?branch=branch3&score=1&language=en&days=365",
    "/dashboard/comments/?days=365&q=排队",
    "/dashboard/comments/?days=365&branch=branch3&q=排队 味道 环境",
    "/dashboard/news/?since={now}",
    "/dashboard/follow-up/",
    "/dashboard/follow-up/?status=mine",
    "/dashboard/follow-up/?days=365&status=all",
    "/dashboard/follow-up/?days=365&branch=branch3&status=solved",
    "/dashboard/responses/88888889/",
    "/dashboard/export/?days=365",
    "/admin/survey/submission/",
    "/admin/survey/submission/?q=88888889",
    "/admin/survey/submission/?satisfaction__exact=1&branch__id__exact=3",
    "/admin/survey/outgoingmail/",
    "/admin/survey/outgoingmail/?q=88888889",
)
MANAGER = (
    "/dashboard/today/",
    "/dashboard/compare/",
    "/dashboard/compare/?days=365",
    "/dashboard/",
    "/dashboard/?days=365",
    "/dashboard/comments/?days=365",
    "/dashboard/comments/?days=365&q=排队",
    "/dashboard/comments/?days=365&q=排队 味道 环境",
    "/dashboard/comments/?days=365&score=1&language=en",
    "/dashboard/news/?since={now}",
    "/dashboard/follow-up/",
    "/dashboard/follow-up/?status=mine",
    "/dashboard/follow-up/?days=365&status=all",
    "/dashboard/export/?days=365",
)


def main(submissions: int, branches: int) -> int:
    """Fill a database, time every page and print the table; return the exit code."""
    limit = 300 if submissions <= 1_000_000 else 1_000  # ms
    with mariadb(*FAST) as variables:
        os.environ.update(PRODUCTION, DJANGO_SETTINGS_MODULE="mydjango.settings", ALLOWED_HOSTS="testserver")
        os.environ.update(variables)
        django.setup()
        from survey.demo import many_submissions

        logging.disable(logging.INFO)
        start = time.perf_counter()
        many_submissions.fill(submissions, DAYS, branches)
        seconds = time.perf_counter() - start
        print(f"{submissions:,} submissions of {branches:,} branches over {DAYS} days made in {seconds:.0f} s")
        print_growth(submissions)
        slow = measure(limit)
    print(f"{slow} pages take {limit} ms or more.")
    return 1 if slow else 0


def print_growth(submissions: int) -> None:
    """Print the bytes of a row with its indexes in each table that grows, and the time to count all days."""
    from django.db import connection

    from survey.jobs.months import add_up_months
    from survey.jobs.rollup import count_days
    from survey.models import RollupDay, Submission, SubmissionTerm

    for model in (Submission, SubmissionTerm):
        table, rows = model._meta.db_table, model.objects.count()
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE TABLE {table}")
            length = "SELECT data_length + index_length FROM information_schema.tables WHERE table_name = %s"
            cursor.execute(length, [table])
            [size] = cursor.fetchone()
        print(f"{table}: {rows:,} rows, {size / rows:.0f} bytes a row with its indexes")
    RollupDay.objects.all().delete()
    start = time.perf_counter()
    days = count_days(3_600)
    print(f"{submissions:,} submissions of {days:,} days counted in {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    print(f"{add_up_months(3_600)} months added up in {time.perf_counter() - start:.1f} s")


def measure(limit: int) -> int:
    """Time every page for each account, and the export; print the table and return the number of slow pages."""
    from django.contrib.auth.models import User

    from survey.models import Branch, Membership

    branches = list(Branch.objects.order_by("pk"))
    head = User.objects.create_superuser("head office")
    accounts = [(head, HEAD_OFFICE)]
    for count in sorted({2, len(branches) // 2}):
        manager = User.objects.create_user(f"manager of {count:,}")
        Membership.objects.bulk_create(Membership(user=manager, branch=branch) for branch in branches[:count])
        accounts.append((manager, MANAGER))
    slow = 0
    print(f"{'account':16} {'page':68} {'median ms':>9} {'least':>6} {'most':>6} {'CPU ms':>6}")
    for user, pages in accounts:
        client = Client()
        client.force_login(user)
        for page in pages:
            _cold, *measured = [milliseconds(client, page) for _ in range(RUNS + 1)]
            times, cpu_times = zip(*measured, strict=True)
            median, cpu_time = statistics.median(times), statistics.median(cpu_times)
            slow += median >= limit
            print(
                f"{user.username:16} {page:68} {median:9.0f} {min(times):6.0f} {max(times):6.0f} {cpu_time:6.0f}",
                flush=True,
            )
    client.force_login(head)
    start = time.perf_counter()
    lines = client.get("/dashboard/export.csv?days=30&personal=1").getvalue().count(b"\r\n")
    seconds = time.perf_counter() - start
    print(f"CSV export of 30 days: {lines:,} lines in {seconds:.1f} s, {lines / seconds:,.0f} a second")
    return slow


def milliseconds(client: Client, page: str) -> tuple[float, float]:
    """Return the time of a request, and its CPU time here and in the database; `{now}` in a page is the time."""
    page = page.format(now=int(time.time()))
    start, cpu_start = time.perf_counter(), time.process_time() + database_seconds()
    response = client.get(page)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() + database_seconds() - cpu_start
    assert response.status_code == 200, (page, response.status_code)
    return 1_000 * seconds, 1_000 * cpu_seconds


def database_seconds() -> float:
    """Return the CPU time of the database session so far."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Cpu_time'")
        return float(cursor.fetchone()[1])


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*numbers, *(1_000_000, 12)[len(numbers) :]))
