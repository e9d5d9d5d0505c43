"""The figures of a period, from which every number of the overview is made."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from survey.jobs import rollup
from survey.staff import figures
from survey.staff.filters import Filters
from survey.staff.statements import run
from tests.support.chain import Chain, make_submission


@pytest.mark.parametrize("counted", [False, True])
def test_scores_aspects_and_groups_of_the_nps_are_sums(chain: Chain, counted: bool) -> None:
    make_submission(chain.north, 4, days_ago=2, taste=4, recommend=10)
    make_submission(chain.north, 5, days_ago=1, taste=5, recommend=7)
    make_submission(chain.south, 1, days_ago=1, recommend=0)
    make_submission(chain.south, 3, days_ago=3, taste=1, recommend=6)  # in the period before
    if counted:
        rollup.count_days(60)
    today = timezone.localdate()
    found = run(figures.figures(Filters(start=today - timedelta(2), end=today, branch_ids=None)))
    assert found.now.scores == [1, 0, 0, 1, 1]
    assert found.now.nps_groups == {"promoters": 1, "passives": 1, "detractors": 1}
    taste = {"taste_count": 2, "taste_sum": 9, "taste_squares": 41}
    assert {name: value for name, value in found.now.aspects.items() if value} == taste
    assert found.before.scores == [0, 0, 1, 0, 0]
    assert found.before.nps_groups == {"promoters": 0, "passives": 0, "detractors": 1}
    assert {pk: (now.n, before.n) for pk, (now, before) in found.by_branch.items()} == {
        chain.north.pk: (2, 0),
        chain.south.pk: (1, 1),
    }
