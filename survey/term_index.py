"""The index of comments: their terms, written with the submission or by a job.

A submission is never lost with its terms: where the dictionary fails, `terms_due` is stored and the job writes the
keywords later. The search does without them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping

from django.db import connection, transaction

from survey.models import Submission, SubmissionTerm
from survey.text.terms import weighted_terms

logger = logging.getLogger(__name__)

BATCH = 100  # comments in one transaction


def write(comments: Iterable[tuple[Submission, Mapping[str, float]]]) -> None:
    """Store the weighted terms of answers that this transaction has stored or locked."""
    SubmissionTerm.objects.bulk_create(
        (
            SubmissionTerm(
                submission=submission,
                term=term,
                weight=weight,
                branch_id=submission.branch_id,
                local_date=submission.local_date,
                satisfaction=submission.satisfaction,
            )
            for submission, weights in comments
            for term, weight in weights.items()
        ),
        ignore_conflicts=True,  # to the database, terms may be equal that are not to Python
        batch_size=500,
    )


def index_comments(seconds: float) -> int:
    """Write the keywords that are due, starting no batch after `seconds`; returns of how many comments.

    Raises what was wrong with the last comment that failed, once the others are done, and LexiconError at once.

    Any number of timers may do this at once, and a guest may be erased meanwhile: the batch's answers are locked.
    """
    from survey.text.lexicon import LexiconError

    done = last = 0
    failure: Exception | None = None
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        with transaction.atomic():
            due = Submission.objects.filter(terms_due=True, pk__gt=last).order_by("pk")
            if connection.features.has_select_for_update_skip_locked:
                due = due.select_for_update(skip_locked=True)
            batch = list(due[:BATCH])
            cut = []
            for submission in batch:
                try:
                    cut.append((submission, weighted_terms(submission.comment)))
                except LexiconError:
                    raise
                except Exception as error:  # of one comment: it stays due, and is reported when the others are done
                    logger.exception("terms.failed", extra={"submission": submission.pk})
                    failure = error
            keys = [submission.pk for submission, _terms in cut]
            SubmissionTerm.objects.filter(submission__in=keys).delete()
            write(cut)
            Submission.objects.filter(pk__in=keys).update(terms_due=False)
        done += len(cut)
        if len(batch) < BATCH:
            break
        last = batch[-1].pk
    if done:
        logger.info("terms.indexed", extra={"comments": done})
    if failure:
        raise failure
    return done
