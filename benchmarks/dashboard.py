"""How long do the staff's pages take at a million submissions? `python -m benchmarks.dashboard [SUBMISSIONS]`

Requests each page of a private MariaDB with its default settings through Django's test client, the database's time
included, and prints median and range of 9 warm requests. The exit code is 1 where a median is 300 ms or more. The CSV
export is measured in rows a second.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import time

import django

from benchmarks.servers import PRODUCTION, mariadb

DAYS = 1_000
RUNS = 9
LIMIT = 300  # ms
PAGES = (
    "?days=30",
    "?days=90",
    "?days=365",
    "?score=low&language=en&days=365",
    "comments/",
    "comments/?days=365",
    "comments/?branch=branch3&score=1&language=en&days=365",
    "comments/?days=365&q=排队",
    "comments/?days=365&branch=branch3&q=排队 味道 环境",
    "follow-up/",
    "follow-up/?days=365&status=all",
    "follow-up/?days=365&branch=branch3&status=solved",
    "responses/88888889/",
    "export/?days=365",
)


def main(submissions: int) -> int:
    """Fill a database, time every page and print the table; return the exit code."""
    with mariadb() as variables:
        os.environ.update(PRODUCTION, DJANGO_SETTINGS_MODULE="mydjango.settings", ALLOWED_HOSTS="testserver")
        os.environ.update(variables)
        django.setup()
        from django.contrib.auth.models import User
        from django.test import Client

        from survey.demo import many_submissions

        logging.disable(logging.INFO)  # one line a day that is counted
        start = time.perf_counter()
        many_submissions.fill(submissions, DAYS)
        print(f"{submissions:,} submissions over {DAYS} days made in {time.perf_counter() - start:.0f} s")
        client = Client()
        client.force_login(User.objects.create_superuser("benchmark"))

        def milliseconds(page: str) -> float:
            start = time.perf_counter()
            response = client.get(f"/dashboard/{page}")
            assert response.status_code == 200, (page, response.status_code)
            return 1_000 * (time.perf_counter() - start)

        print(f"{'page':60} {'median ms':>9} {'least':>6} {'most':>6}")
        medians = []
        for page in PAGES:
            _cold, *times = [milliseconds(page) for _ in range(RUNS + 1)]
            medians.append(statistics.median(times))
            print(f"{page:60} {medians[-1]:9.0f} {min(times):6.0f} {max(times):6.0f}")
        start = time.perf_counter()
        lines = client.get("/dashboard/export.csv?days=30&personal=1").getvalue().count(b"\r\n")
        seconds = time.perf_counter() - start
        print(f"CSV export of 30 days: {lines:,} lines in {seconds:.1f} s, {lines / seconds:,.0f} a second")
    slow = sum(median >= LIMIT for median in medians)
    print(f"{slow} of {len(PAGES)} pages take {LIMIT} ms or more.")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
