"""Store submissions that arrive as events of the platform: direct invocations, and messages of a queue.

EVENT_HANDLERS names `submit` (docs/embedding.md): `submission=survey.guest.events:submit`. index.py never passes an
HTTP event on to it.
"""

from __future__ import annotations

import json
import logging
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import close_old_connections
from django.utils import translation

import mydjango.wsgi  # noqa: F401  an event may be the first of its instance: names the settings
from mydjango.cold_start.deferred_apps import populate_apps
from mydjango.http.request import Request
from mydjango.http.unavailable import is_unavailable

logger = logging.getLogger(__name__)


def submit(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (a dict or an object, by platform)
    """Store the submission of a direct invocation, or those of a queue's messages.

    The invocation's result is that of `POST /submitSurvey` as JSON, with its `status`: a wrong value is 400 with
    `errors`, not an exception, so that the platform does not retry in vain. For messages the result counts them.

    Without `submission_id` the platform's id of the invocation, or the place of the message in its queue, is the key:
    the platform repeats both after an error.
    """
    populate_apps()
    try:
        with translation.override(settings.LANGUAGE_CODE):
            if isinstance(event.get("Records"), list):
                return _store_messages(event["Records"])
            return _store(json.dumps(event), _request_id(context))
    finally:
        close_old_connections()


def _store_messages(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Store the submission of each CKafka message, `msgBody`. Log and leave out what is no valid submission.

    Raises what a message raised, such as the errors of a database that is away, once all others are stored: the
    platform then passes the messages again.
    """
    from survey.guest.forms import SubmissionForm

    counts = {"stored": 0, "refused": 0}
    failure: Exception | None = None
    for record in records:
        message = record.get("Ckafka") or {}
        place = {name: message.get(name) for name in ("topic", "partition", "offset")}
        try:
            result = _store(str(message.get("msgBody", "")), "ckafka " + " ".join(map(str, place.values())))
        except Exception as error:
            if is_unavailable(error):  # each further message would wait for the database again
                raise
            logger.exception("message.failed", extra=place)
            failure = error
            continue
        is_stored = result["status"] == 201
        counts["stored" if is_stored else "refused"] += 1
        if not is_stored:
            # A name that the form lacks may be anything, such as a person's.
            fields = ", ".join(sorted(SubmissionForm.base_fields.keys() & result.get("errors", {}).keys()))
            logger.error("message.refused", extra=place | {"status": result["status"], "fields": fields})
    if failure:
        raise failure
    return counts


def _store(text: str, key: str) -> dict[str, Any]:
    """Pass the JSON of a submission through the view that stores those of HTTP. Return its response's members.

    `key` is the idempotency key of a submission without one. No address is known, so no rate limit applies.
    """
    from survey.guest import views

    body = text.encode("utf-8", "surrogatepass")
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/submitSurvey",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    if not _has_key(text):
        environ["HTTP_IDEMPOTENCY_KEY"] = key
    try:
        response = views.submit(Request(environ))
    except SuspiciousOperation as error:  # a body that is too long
        return {"status": 400, "detail": str(error)}
    members: dict[str, Any] = json.loads(response.content)
    return {"status": response.status_code, **members}


def _has_key(text: str) -> bool:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(values, dict) and bool(values.get("submission_id"))


def _request_id(context: Any) -> str:  # noqa: ANN401
    """Return the platform's id of the invocation: Tencent's context is a dict, those of AWS and Alibaba are objects."""
    if isinstance(context, dict):
        return str(context.get("request_id", ""))
    return str(getattr(context, "aws_request_id", "") or getattr(context, "request_id", ""))
