"""`python -m tests.survey.release_before.upgrade`: migrate the database of the release before; print results as JSON.

The database is the environment's and is empty. Its tables are made as that release made them (migration 0006), filled
with database.jsonl.xz, and migrated.
"""

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.management import call_command
from django.db import connection, transaction

if TYPE_CHECKING:
    from survey.staff.filters import Filters

FOLDER = Path(__file__).parent
LAST_MIGRATION = "0006"


def load(permissions: list[str]) -> None:
    """Insert the rows of every table, and the permissions of head office's group by their codenames."""
    give = (
        "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT 1, p.id FROM auth_permission p"
        " JOIN django_content_type c ON c.id = p.content_type_id WHERE c.app_label = %s AND p.codename = %s"
    )
    database = FOLDER / "database.jsonl.xz"
    with lzma.open(database, "rt", encoding="utf-8") as lines, transaction.atomic(), connection.cursor() as cursor:
        for line in lines:
            table, columns, rows = json.loads(line)
            names = ", ".join(map(connection.ops.quote_name, columns))
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)
        for permission in permissions:
            cursor.execute(give, permission.split("."))


def scores_by_day(period: Filters) -> dict[str, list[int]]:
    """Return the submissions of each score, from 1 to 5, on each day that has any."""
    from survey.staff import sums
    from survey.staff.statements import run

    days = sums.days_between(period.start, period.end)
    tables = run(sums.calendar(period.start, period.end))
    scores: dict[str, list[int]] = {}
    for _number, day, counts in run(sums.read(period, tables, [days], sums.SCORES, sums.BY_DAY)):
        scores[day] = [sum(pair) for pair in zip(scores.get(day, [0] * 5), counts, strict=True)]
    return scores


def results(expected: dict[str, object]) -> dict[str, object]:
    """Return by today's code what make.py returned by that of the release before."""
    from django.contrib.auth.models import User

    from survey.models import Branch, FollowUpNote, OutgoingMail, Submission, SubmissionTerm
    from survey.staff import figures, search, submissions
    from survey.staff.filters import Filters
    from survey.staff.statements import run

    start, end = map(date.fromisoformat, expected["period"])  # type: ignore[call-overload]
    period = Filters(start=start, end=end, branch_ids=None)
    found = run(figures.figures(period))
    codes = dict(Branch.objects.values_list("pk", "code"))

    def references(words: str) -> list[str]:
        filters = replace(period, words=words)
        matches = search.find(Submission.objects.all(), filters, search.rarest_first(filters))
        return sorted(matches.values_list("reference", flat=True))

    def counts(submission: Submission) -> list[int]:
        tables = (OutgoingMail, FollowUpNote, SubmissionTerm)
        return [model.objects.filter(submission=submission).count() for model in tables]

    erased = Submission.objects.get(reference=expected["erased"])
    mails = OutgoingMail.objects.order_by("pk")
    outcome: dict[str, object] = {
        "scores": found.now.scores,
        "parts": found.now.nps_groups,
        "aspects": found.now.aspects,
        "branches": {str(codes.get(pk)): tally.scores for pk, (tally, _before) in found.by_branch.items()},
        "days": scores_by_day(period),
        "searches": {words: references(words) for words in expected["searches"]},  # type: ignore[attr-defined]
        "keywords": [[keyword.term, keyword.comments] for keyword in run(search.keyword_lists(period, (1, 2)))[0]],
        "open": submissions.count_open(Submission.objects.all()),
        "mails": [
            list(row) for row in mails.values_list("kind", "status", "recipient", "subject", "attempts", "message_id")
        ],
        "notes": FollowUpNote.objects.count(),
        "group_permissions": sorted(User.objects.get(username="head@example.com").get_group_permissions()),
        "before_erasure": counts(erased),
    }
    call_command("erase_responses", reference=erased.reference, stdout=StringIO())
    erased.refresh_from_db()
    outcome["after_erasure"] = counts(erased)
    outcome["left_of_erased"] = [erased.name, erased.phone, erased.email, erased.comment, erased.satisfaction]
    return outcome


def main() -> None:
    django.setup()
    expected = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    for target in (["auth"], ["sessions"], ["survey", LAST_MIGRATION]):
        call_command("migrate", *target, verbosity=0)
    load(expected["group_permissions"])
    call_command("migrate", verbosity=0)
    print(json.dumps(results(expected)))


if __name__ == "__main__":
    main()
