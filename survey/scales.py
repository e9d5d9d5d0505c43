"""The scales of the survey: what a score means is decided here, once."""

from __future__ import annotations

import enum

from django.db import models
from django.utils.translation import gettext_lazy as _

LOW_SATISFACTION = 2  # this and below asks what went wrong, is followed up, and alerts the branch


class Satisfaction(models.IntegerChoices):
    """Overall satisfaction, the scale of CSAT."""

    VERY_DISSATISFIED = 1, _("Very dissatisfied")
    DISSATISFIED = 2, _("Dissatisfied")
    NEUTRAL = 3, _("So-so")
    SATISFIED = 4, _("Satisfied")
    VERY_SATISFIED = 5, _("Very satisfied")


# Field name of Submission and the label that a guest reads; 1 to 5 each.
ASPECTS = {
    "taste": _("Taste"),
    "variety": _("Variety and refills"),
    "hygiene": _("Hygiene"),
    "service": _("Service"),
    "atmosphere": _("Atmosphere"),
    "value": _("Value for money"),
}


class Problem(enum.IntFlag):
    """What went wrong, as bits of `Response.problems`: one small column that still can be counted and filtered."""

    TASTE = 1
    SOLD_OUT = 2
    COLD = 4
    DIRTY = 8
    UNFRIENDLY = 16
    WAITING = 32
    EXPENSIVE = 64
    OTHER = 128

    @property
    def label(self) -> str:
        """What the guest reads on the chip."""
        return str(PROBLEM_LABELS[self])

    @property
    def slug(self) -> str:
        """What stands for it in a URL."""
        return str(self.name).lower()


PROBLEM_LABELS = {
    Problem.TASTE: _("Did not taste good"),
    Problem.SOLD_OUT: _("Dishes ran out"),
    Problem.COLD: _("Food was cold"),
    Problem.DIRTY: _("Not clean"),
    Problem.UNFRIENDLY: _("Unfriendly staff"),
    Problem.WAITING: _("Long wait"),
    Problem.EXPENSIVE: _("Too expensive"),
    Problem.OTHER: _("Something else"),
}
ALL_PROBLEMS = sum(Problem)
