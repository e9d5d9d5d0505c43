"""The figures agree with published values."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.scales import SATISFIED_SCORES
from survey.staff import metrics

COUNTS = st.lists(st.integers(0, 100_000), min_size=5, max_size=5)


def csat(counts):
    return metrics.csat(counts, SATISFIED_SCORES)


def test_csat_is_the_share_of_four_and_five():
    assert csat([1, 2, 3, 4, 10]).value == pytest.approx(0.7)


def test_the_share_has_wilsons_interval():
    # Newcombe 1998, table I: 81/263 -> 0.2553 to 0.3662; 15/148 -> 0.0624 to 0.1605; 0/20 -> 0 to 0.1611.
    assert (metrics.share(81, 263).low, metrics.share(81, 263).high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert (metrics.share(15, 148).low, metrics.share(15, 148).high) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert (metrics.share(0, 20).low, metrics.share(0, 20).high) == pytest.approx((0, 0.1611), abs=5e-5)


def test_a_difference_of_shares_has_newcombes_interval():
    # Newcombe 1998 (part two), example (a), method 10: 56/70 - 48/80 -> 0.0524 to 0.3339.
    change = metrics.change(metrics.share(56, 70), metrics.share(48, 80))
    assert (change.value, change.low, change.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert change.is_clear


def test_a_difference_that_chance_explains_is_not_clear():
    assert not metrics.change(metrics.share(5, 10), metrics.share(4, 10)).is_clear


@pytest.mark.parametrize(
    ("degrees", "quantile", "error"),
    [
        *((1, 12.7062, 1e-6), (2, 4.30265, 1e-6), (3, 3.18245, 7.4e-3), (4, 2.77645, 2.6e-3), (5, 2.57058, 1.1e-3)),
        *((9, 2.26216, 1.2e-4), (29, 2.04523, 2e-6), (51, 2.00758, 2e-6), (999, 1.96234, 2e-6)),
    ],
)
def test_students_t_agrees_with_the_tables(degrees, quantile, error):
    """The better, the more degrees of freedom."""
    assert metrics.student_t(degrees) == pytest.approx(quantile, rel=error)


def test_the_average_has_students_interval():
    estimate = metrics.average([0, 1, 2, 4, 3])  # mean 3.9, sample variance 0.9889
    assert estimate.value == pytest.approx(3.9)
    assert (estimate.low, estimate.high) == pytest.approx((3.189, 4.611), abs=2e-3)


def test_one_score_has_the_whole_scale_as_its_interval():
    assert metrics.average([0, 0, 0, 0, 1]) == metrics.Estimate(5, 1, 5, 1)


def test_equal_scores_have_the_interval_of_one_more_at_each_end_of_the_scale():
    two = metrics.mean(2, 10, 50)
    assert (two.value, two.low, two.high) == (5, 1, 5)
    fifty = metrics.mean(50, 250, 1250)
    # mean 256/52, sample variance (1276 - 256 ** 2 / 52) / 51 = 0.3077, t of 51 degrees 2.0076
    assert (fifty.value, fifty.low, fifty.high) == (5, pytest.approx(4.7686, abs=2e-3), 5)
    assert metrics.mean(50, 150, 450).low < 3 < metrics.mean(50, 150, 450).high


@pytest.mark.parametrize(("now", "before", "is_clear"), [(29, 30, False), (30, 29, False), (30, 30, True)])
def test_a_change_between_small_samples_is_never_clear(now, before, is_clear):
    best, worst = [0, 0, 0, 0, now], [before, 0, 0, 0, 0]
    assert metrics.change(csat(best), csat(worst)).is_clear is is_clear
    assert metrics.change(metrics.average(best), metrics.average(worst)).is_clear is is_clear


def test_nps_is_promoters_minus_detractors_in_points():
    nps = metrics.net_promoter_score(50, 30, 20)
    assert nps.score.value == pytest.approx(30)
    assert (nps.promoters, nps.passives, nps.detractors) == (50, 30, 20)
    # p = 50.75/103, d = 20.75/103: centre 29.126, half width 1.96 * sqrt((.69417 - .29126 ** 2) / 103)
    assert (nps.score.low, nps.score.high) == pytest.approx((14.06, 44.19), abs=0.02)


def test_without_submissions_no_figure_exists():
    assert csat([0] * 5) is None
    assert metrics.average([0] * 5) is None
    assert metrics.net_promoter_score(0, 0, 0) is None
    assert metrics.change(csat([0] * 5), csat([1] * 5)) is None


def test_below_thirty_submissions_a_figure_is_marked_small():
    assert csat([0, 0, 0, 0, 29]).is_small
    assert not csat([0, 0, 0, 0, 30]).is_small


@given(COUNTS)
def test_every_interval_holds_its_figure_and_stays_on_its_scale(counts):
    for estimate, lowest, highest in (
        (csat(counts), 0, 1),
        (metrics.average(counts), 1, 5),
        (nps.score if (nps := metrics.net_promoter_score(*counts[:3])) else None, -100, 100),
    ):
        if estimate is not None:
            assert lowest <= estimate.low <= estimate.value <= estimate.high <= highest


@given(COUNTS, COUNTS)
def test_swapping_both_figures_negates_the_change(now, before):
    forth = metrics.change(csat(now), csat(before))
    back = metrics.change(csat(before), csat(now))
    if forth is not None:
        assert (forth.value, forth.low, forth.high) == pytest.approx((-back.value, -back.high, -back.low))


def test_the_arithmetic_needs_no_django():
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, survey.staff.metrics; print('django' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert loaded.strip() == "False"
