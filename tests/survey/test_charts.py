"""The geometry of the charts."""

from __future__ import annotations

from survey.staff import charts, metrics


def points(line):
    return [tuple(float(number) for number in point.split(",")) for point in line.split()]


def test_a_trend_goes_from_left_to_right_and_higher_is_better():
    chart = charts.trend([("1", metrics.share(1, 10)), ("2", metrics.share(5, 10)), ("3", metrics.share(10, 10))])
    [line] = chart.lines
    xs, ys = zip(*points(line), strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)


def test_days_without_submissions_break_the_line_and_a_lone_day_is_a_dot():
    day = metrics.share(5, 10)
    chart = charts.trend([("1", day), ("2", day), ("3", None), ("4", day), ("5", None)])
    assert len(chart.lines) == 1
    assert len(chart.dots) == 1
    assert len(chart.bars) == 3


def test_everything_lies_inside_the_picture():
    chart = charts.trend([(str(day), metrics.share(day % 7, 7)) for day in range(366)])
    for x, y in points(chart.lines[0]) + points(chart.bands[0]):
        assert 0 <= x <= chart.width
        assert 0 <= y <= chart.height
    for bar in chart.bars:
        assert bar.x >= 0
        assert bar.y + bar.height <= chart.height
    assert len(chart.dates) <= charts.LABELS


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


def test_the_newest_day_of_a_trend_has_a_date_and_the_scale_stands_beside_it():
    chart = charts.trend([(str(day), metrics.share(5, 10)) for day in range(1, 31)])
    assert chart.dates[-1].label == "30"
    assert chart.dates[-1].at < chart.right < chart.width
