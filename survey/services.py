"""What the survey writes."""

from __future__ import annotations

import logging

from django.db import transaction

from survey import outbox
from survey.models import FollowUpStatus, Response

logger = logging.getLogger(__name__)


def response_submit(response: Response) -> Response:
    """Store an answer and, with an e-mail address, queue its receipt: both or neither."""
    # For the staff: a low score waits for somebody, a comment for the timer that cuts it into words.
    response.follow_up_status = FollowUpStatus.OPEN if response.is_low else ""
    response.terms_due = bool(response.comment)
    with transaction.atomic():
        response.save(force_insert=True)
        if response.email:
            outbox.queue_receipt(response)
    logger.info("response.accepted", extra={"response": response.pk, "receipt": bool(response.email)})
    return response
