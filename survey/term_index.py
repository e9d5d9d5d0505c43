"""The index of comments: write the terms of a submission at once, or its keywords later by a job.

A failing dictionary never loses a submission: `terms_due` is stored, search works without keywords, and the job adds
them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from itertools import chain

from django.db import connection, transaction
from django.db.models.constants import OnConflict

from survey.models import Submission, SubmissionTerm
from survey.text.terms import weighted_terms

logger = logging.getLogger(__name__)

BATCH = 100  # comments in one transaction
MOST_ROWS = 5_000  # of one statement, far below what a packet or SQLite's parameters hold


INSERT = "survey_responseterm (response_id, term, weight, branch_id, local_date, satisfaction)"


def write(terms: Iterable[tuple[Submission, Mapping[str, float]]]) -> None:
    """Store the weighted terms of submissions that the current transaction has stored or locked.

    Written in SQL: a comment has dozens of terms, and bulk_create takes a quarter of the CPU of its submission
    (benchmarks/warm.py). What is the same for all terms of a submission is written into the text.
    """
    places: list[str] = []
    values: list[tuple[str, float]] = []
    for submission, weights in terms:
        branch = "NULL" if submission.branch_id is None else submission.branch_id
        place = f"({submission.pk}, %s, %s, {branch}, '{submission.local_date}', {submission.satisfaction})"
        places += [place] * len(weights)
        values += weights.items()
    for first in range(0, len(places), MOST_ROWS):
        # IGNORE: a collation may treat two terms as equal that Python tells apart.
        statement = connection.ops.insert_statement(on_conflict=OnConflict.IGNORE)
        part = slice(first, first + MOST_ROWS)
        with connection.cursor() as cursor:
            cursor.execute(
                f"{statement} {INSERT} VALUES {', '.join(places[part])}", list(chain.from_iterable(values[part]))
            )


def index_comments(seconds: float) -> int:
    """Write the keywords that are due, starting no batch after `seconds`, and return the number of comments.

    Raises LexiconError at once, and the last error of a single comment after the other comments are done. Jobs may
    run side by side and guests may erase meanwhile, since each batch locks its submissions.
    """
    indexed = last_pk = 0
    failure: Exception | None = None
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with transaction.atomic():
            due = Submission.objects.filter(terms_due=True, pk__gt=last_pk).order_by("pk")
            if connection.features.has_select_for_update_skip_locked:
                due = due.select_for_update(skip_locked=True)
            batch = list(due[:BATCH])
            count, error = _index(batch)
        indexed += count
        failure = error or failure
        if len(batch) < BATCH:
            break
        last_pk = batch[-1].pk
    if indexed:
        logger.info("terms.indexed", extra={"comments": indexed})
    if failure:
        raise failure
    return indexed


def _index(batch: list[Submission]) -> tuple[int, Exception | None]:
    """Replace the terms of locked submissions; return how many, and the error of the last comment that failed."""
    from survey.text.lexicon import LexiconError

    terms = []
    failure: Exception | None = None
    for submission in batch:
        try:
            terms.append((submission, weighted_terms(submission.comment)))
        except LexiconError:
            raise
        except Exception as error:  # one comment must not stop the others: it stays due
            logger.exception("terms.failed", extra={"submission": submission.pk})
            failure = error
    keys = [submission.pk for submission, _weights in terms]
    SubmissionTerm.objects.filter(submission__in=keys).delete()
    write(terms)
    Submission.objects.filter(pk__in=keys).update(terms_due=False)
    return len(keys), failure
