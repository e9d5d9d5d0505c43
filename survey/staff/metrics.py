"""Satisfaction figures from counts: CSAT, average and NPS, each with its 95 % interval. Pure arithmetic, no Django.

Sources: Wilson (1927) for a share; Student's t for a mean; for NPS the adjusted Wald interval of Rocks (2016), which
Sauro and Lewis recommend for samples of any size; MOVER (Newcombe 1998, Zou and Donner 2008) for a difference.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

Z = NormalDist().inv_cdf(0.975)  # 1.96: two-sided 95 %
SMALL_SAMPLE = 30  # submissions; figures from fewer are marked


class Estimate(NamedTuple):
    """A figure, the ends of its 95 % interval, and the sample size."""

    value: float
    low: float
    high: float
    n: int

    @property
    def is_small(self) -> bool:
        """Return whether the sample is too small to conclude from."""
        return self.n < SMALL_SAMPLE


class Change(NamedTuple):
    """The difference of two figures, later minus earlier, with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int  # the smaller of the two samples

    @property
    def is_clear(self) -> bool:
        """Return whether both samples are large enough and the interval excludes zero."""
        return self.n >= SMALL_SAMPLE and (self.low > 0 or self.high < 0)


class NetPromoterScore(NamedTuple):
    """NPS in points from -100 to 100, and its parts: promoters 9 and 10, passives 7 and 8, detractors 0 to 6."""

    score: Estimate
    promoters: int
    passives: int
    detractors: int


def share(successes: int, n: int, z: float = Z) -> Estimate | None:
    """Return a share, 0 to 1, with Wilson's score interval; None for n = 0."""
    if n == 0:
        return None
    p = successes / n
    divisor = 1 + z**2 / n
    centre = (p + z**2 / (2 * n)) / divisor
    half = z / divisor * sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    # At 0 and 1 the interval ends at the figure; keep rounding from moving it past.
    return Estimate(p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)), n)


def z_among(comparisons: int) -> float:
    """Return the z of intervals that hold 95 % of the time for all of so many comparisons together (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.025 / max(1, comparisons))


def csat(counts: Sequence[int], satisfied: Collection[int]) -> Estimate | None:
    """Return CSAT, the share of the `satisfied` scores in counts by score from 1 up; None without submissions."""
    return share(sum(counts[score - 1] for score in satisfied), sum(counts))


def average(counts: Sequence[int]) -> Estimate | None:
    """Return the mean score with its interval, from the counts of scores 1, 2 and so on; None if all are 0."""
    scores = range(1, len(counts) + 1)
    return mean(
        sum(counts),
        sum(score * count for score, count in zip(scores, counts, strict=True)),
        sum(score**2 * count for score, count in zip(scores, counts, strict=True)),
        highest=len(counts),
    )


def mean(n: int, total: int, squares: int, highest: int = 5) -> Estimate | None:
    """Return the mean of n whole scores from 1 to `highest` with Student's t interval; None for n = 0.

    `total` and `squares` are the sums of the scores and of their squares. Equal scores would give an interval of width
    0: they are padded with one score at each end of the scale, by the rule of succession (Laplace 1774), as Agresti
    and Coull (1998) pad a share.
    """
    if n == 0:
        return None
    value = total / n
    if squares * n > total**2:
        low, high = _t_interval(n, total, squares)
    else:
        low, high = _t_interval(n + 2, total + 1 + highest, squares + 1 + highest**2)
    # At the ends of the scale the interval ends at the figure; keep rounding from moving it past.
    return Estimate(value, max(1.0, min(value, low)), min(float(highest), max(value, high)), n)


def _t_interval(n: int, total: int, squares: int) -> tuple[float, float]:
    variance = (squares * n - total**2) / (n * (n - 1))  # integers: exact until the division
    half = student_t(n - 1) * sqrt(variance / n)
    return total / n - half, total / n + half


def student_t(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t, by the series of Abramowitz and Stegun 26.7.5.

    Exact for 1 and 2 degrees of freedom, within 1 % for more.
    """
    if degrees <= 2:
        return (12.7062, 4.30265)[degrees - 1]
    return (
        Z
        + (Z**3 + Z) / (4 * degrees)
        + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * degrees**2)
        + (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / (384 * degrees**3)
    )


def net_promoter_score(promoters: int, passives: int, detractors: int) -> NetPromoterScore | None:
    """Return NPS with its adjusted Wald interval, padded with 3/4, 3/2 and 3/4 guests; None if all counts are 0."""
    n = promoters + passives + detractors
    if n == 0:
        return None
    padded = n + 3
    p, d = (promoters + 0.75) / padded, (detractors + 0.75) / padded
    half = Z * sqrt((p + d - (p - d) ** 2) / padded)
    score = 100 * (promoters - detractors) / n
    low, high = 100 * (p - d - half), 100 * (p - d + half)
    return NetPromoterScore(
        Estimate(score, max(-100.0, min(score, low)), min(100.0, max(score, high)), n), promoters, passives, detractors
    )


def change(now: Estimate | None, before: Estimate | None) -> Change | None:
    """Return the difference of two figures with its MOVER interval; None if either is missing."""
    if now is None or before is None:
        return None
    difference = now.value - before.value
    return Change(
        difference,
        difference - sqrt((now.value - now.low) ** 2 + (before.high - before.value) ** 2),
        difference + sqrt((now.high - now.value) ** 2 + (before.value - before.low) ** 2),
        min(now.n, before.n),
    )
