"""The hidden fields of a page that sends a submission."""

from __future__ import annotations

from django import template

from survey.guest.visit import VisitForm

register = template.Library()


@register.inclusion_tag("guest/visit_fields.html", takes_context=True)
def visit_fields(context: template.Context) -> dict[str, object]:
    """Render the visit's hidden fields and the status line; a redisplayed page keeps its `visit`."""
    return {"visit": context.get("visit") or VisitForm.fresh()}
