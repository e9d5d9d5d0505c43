"""Define the scales of the survey and which scores count as low, satisfied, promoter or detractor."""

from __future__ import annotations

import enum

from django.db import models
from django.utils.translation import gettext_lazy as _

# Satisfaction, from 1 to 5. A low score is asked what went wrong, followed up and mailed to the branch.
LOW_SCORES = (1, 2)
SATISFIED_SCORES = (4, 5)  # CSAT is their share
# Likelihood to recommend, from 0 to 10, in the groups of the Net Promoter Score.
DETRACTORS = tuple(range(7))
PASSIVES = (7, 8)
PROMOTERS = (9, 10)


class Satisfaction(models.IntegerChoices):
    """Overall satisfaction; CSAT is computed from it."""

    VERY_DISSATISFIED = 1, _("Very unhappy")
    DISSATISFIED = 2, _("Unhappy")
    NEUTRAL = 3, _("All right")
    SATISFIED = 4, _("Happy")
    VERY_SATISFIED = 5, _("Very happy")


# The aspects, rated from 1 to 5: field name of Submission and label for guests.
ASPECTS = {
    "taste": _("Taste"),
    "variety": _("Variety and refills"),
    "hygiene": _("Hygiene"),
    "service": _("Service"),
    "atmosphere": _("Atmosphere"),
    "value": _("Value for money"),
}


class Problem(enum.IntFlag):
    """Problems of a visit, stored as the bits of `Submission.problems`: one column to count and to filter by."""

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
        """The text of the chip on the guest's page."""
        return str(PROBLEM_LABELS[self])

    @property
    def slug(self) -> str:
        """The name in URLs and in JSON."""
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
