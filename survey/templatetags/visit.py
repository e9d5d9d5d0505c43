"""The hidden part of every page that sends a submission."""

from __future__ import annotations

from django import template

from survey.guest.visit import VisitForm

register = template.Library()


@register.inclusion_tag("guest/visit_fields.html", takes_context=True)
def visit_fields(context: template.Context) -> dict[str, object]:
    """The visit's key, the honeypot, the signed time, and the line that says how sending goes.

    A page that comes back keeps its `visit`; any other one gets a fresh one.
    """
    return {"visit": context.get("visit") or VisitForm.fresh()}
