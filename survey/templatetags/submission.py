"""The hidden part of every page that sends an answer."""

from __future__ import annotations

from django import template

from survey.guest.visit import SubmissionForm

register = template.Library()


@register.inclusion_tag("guest/submission.html", takes_context=True)
def submission_fields(context: template.Context) -> dict[str, object]:
    """The visit's key, the honeypot, the signed time, and the line that says how sending goes.

    A page that comes back keeps its `submission`; any other one gets a fresh one.
    """
    return {"submission": context.get("submission") or SubmissionForm.fresh()}
