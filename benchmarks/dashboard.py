"""How long do the staff's pages take at a million answers? `python -m benchmarks.dashboard [ANSWERS]`

A private MariaDB with its default settings; every page with the database's time included, median and spread of 9 after
one to warm up, through Django's test client. To reach: each median below 300 ms. The export's figure is for one file
as a gateway takes it; what it costs per answer is what counts there.
"""

from __future__ import annotations

import os
import statistics
import sys
import time

from tests.support.mariadb import PrivateServer

DAYS = 1_000
RUNS = 9
LIMIT = 300  # ms
PAGES = (
    "",
    "?days=7",
    "?days=90",
    "?days=365",
    "?branch=branch3&days=365",
    "?score=low&language=en&days=365",
    "comments/",
    "comments/?days=365",
    "comments/?branch=branch3&score=1&language=en&days=365",
    "comments/?days=365&problem=cold",
    "comments/?days=365&q=排队",
    "comments/?days=365&q=排队 味道 环境",
    "comments/?days=365&branch=branch3&q=排队",
    "follow-up/",
    "follow-up/?problem=cold",
    "follow-up/?days=365",
    "follow-up/?days=365&branch=branch3&status=solved",
    "follow-up/?days=365&status=all",
    "responses/R1/",
    "export/?days=365",
    "branches/",
    "staff/",
)


def main(answers: int) -> int:
    """Fill a server, time every page, print the table; the exit code says whether all are fast enough."""
    with PrivateServer() as private:
        private.server.execute("CREATE DATABASE survey CHARACTER SET utf8mb4")
        os.environ.update(private.server.environment(), DJANGO_SETTINGS_MODULE="mydjango.settings", DEBUG="0")
        os.environ.update(SECRET_KEY="benchmark", ALLOWED_HOSTS="testserver", PUBLIC_URL="http://testserver")
        import django

        django.setup()
        from tests.support import many

        start = time.perf_counter()
        client = many.prepare(answers, DAYS)
        print(f"{answers:,} answers over {DAYS} days made in {time.perf_counter() - start:.0f} s")
        print(f"{'page':60} {'median ms':>9} {'least':>6} {'most':>6}")
        slow = 0
        for page in PAGES:
            times = []
            for run in range(RUNS + 1):
                start = time.perf_counter()
                response = client.get(f"/dashboard/{page}")
                assert response.status_code == 200, (page, response.status_code)
                if run:
                    times.append(1_000 * (time.perf_counter() - start))
            median = statistics.median(times)
            slow += median >= LIMIT
            print(f"{page or '(overview)':60} {median:9.0f} {min(times):6.0f} {max(times):6.0f}")
        start = time.perf_counter()
        lines = client.get("/dashboard/export.csv?days=30&personal=1").getvalue().count(b"\r\n")
        seconds = time.perf_counter() - start
        print(f"export of 30 days, streamed: {lines:,} lines in {seconds:.1f} s, {lines / seconds:,.0f} a second")
    print("every page is below the limit" if not slow else f"{slow} pages are over {LIMIT} ms")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
