"""The geometry of the charts."""

from __future__ import annotations

import pytest

from survey.staff import charts, metrics


def points(line):
    return [tuple(float(number) for number in point.split(",")) for point in line.split()]


def trend(*estimates, before=None):
    """Return the trend of estimates, dated 1, 2 and so on."""
    return charts.trend(
        [
            charts.TrendPoint(str(number), f"text {number}", estimate.n if estimate else 0, estimate, before)
            for number, estimate in enumerate(estimates, start=1)
        ]
    )


def test_a_trend_goes_from_left_to_right_and_higher_is_better():
    chart = trend(metrics.share(1, 10), metrics.share(5, 10), metrics.share(10, 10))
    [line] = chart.lines
    xs, ys = zip(*points(line), strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)


def test_a_missing_figure_breaks_the_line_and_each_other_has_a_dot_with_its_text():
    day = metrics.share(5, 10)
    chart = trend(day, day, None, day, None)
    assert len(chart.lines) == 2
    assert [dot.text for dot in chart.dots] == ["text 1", "text 2", "text 4"]
    assert [dot.anchor for dot in chart.dots] == ["start", "start", "end"]


def test_everything_lies_inside_the_picture():
    chart = trend(*(metrics.share(day % 7, 7) for day in range(31)), before=metrics.share(3, 7))
    for x, y in points(chart.lines[0]) + points(chart.bands[0]) + points(chart.lines_before[0]):
        assert 0 <= x <= 100
        assert charts.PLOT_TOP <= y <= charts.PLOT_BOTTOM
    for bar in chart.bars:
        assert 0 <= bar.x <= 100 - bar.width
        assert bar.y + bar.height == pytest.approx(charts.PLOT_BOTTOM)
    assert len(chart.dates) <= charts.LABELS


@pytest.mark.parametrize(("count", "highest"), [(0, "1"), (1, "1"), (7, "10"), (10, "10"), (11, "20"), (430, "500")])
def test_the_scale_of_the_bars_ends_at_a_round_number(count, highest):
    chart = charts.trend([charts.TrendPoint("1", "", count, None, None)])
    assert [tick.label for tick in chart.counts] == ["0", highest]
    assert chart.bars[0].y >= chart.counts[1].at


def test_an_empty_trend_has_axes_and_nothing_else():
    chart = charts.trend([])
    assert chart.shares
    assert not (chart.lines or chart.dots or chart.bars or chart.dates)


def test_the_parts_of_a_stack_fill_its_width_without_gaps():
    bars = charts.stack([1, 2, 1], width=100)
    assert [(bar.x, bar.width) for bar in bars] == [(0, 25), (25, 50), (75, 25)]
    assert [bar.width for bar in charts.stack([0, 0, 0])] == [0, 0, 0]


def test_an_error_bar_lies_on_its_scale():
    error_bar = charts.error_bar(metrics.Estimate(0.5, 0.25, 1.0, 9), 0, 1, width=100)
    assert (error_bar.low, error_bar.at, error_bar.high) == (25, 50, 100)


def test_the_longest_bar_is_the_largest_count():
    assert charts.length(5, 10, width=200) == 100
    assert charts.length(10, 10, width=200) == 200
    assert charts.length(0, 0) == 0


def test_the_newest_point_of_a_trend_has_a_date():
    chart = trend(*(metrics.share(5, 10) for _day in range(30)))
    assert chart.dates[-1].label == "30"
