"""Readings side by side, and the statements that they take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from survey.models import Branch
from survey.staff.statements import Reading, Rows, Select, gather, run

pytestmark = pytest.mark.django_db


def names(code: str) -> Reading[Rows]:
    [rows] = yield [Select(("name", "name_en", "id * 0"), "FROM survey_branch WHERE code = %s", [code])]
    return rows


def closed_then_open() -> Reading[list[int]]:
    """Take two turns, the second with two selects."""
    count = "FROM survey_branch WHERE is_open = {}"
    [[[closed]]] = yield [Select(["COUNT(*)"], count.format(0))]
    [[[opened]], of_none] = yield [
        Select(["COUNT(*)"], count.format(1)),
        Select(["id"], "FROM survey_branch WHERE code = 'none'"),
    ]
    assert of_none == []
    return [closed, opened]


def nothing() -> Reading[str]:
    """Return at once."""
    return "nothing"
    yield


@pytest.fixture
def branches() -> None:
    Branch.objects.create(code="east", name='东"店\\', name_en="East, %s")
    Branch.objects.create(code="west", name="西店", is_open=False)


@pytest.mark.usefixtures("branches")
def test_readings_side_by_side_take_as_many_statements_as_the_longest(
    django_assert_num_queries: Callable[..., Any],
) -> None:
    with django_assert_num_queries(2):
        found = run(gather(names("west"), closed_then_open(), nothing(), gather(names("east"), names("none"))))
    assert found == [
        [["西店", "", 0]],
        [1, 1],
        "nothing",
        [[['东"店\\', "East, %s", 0]], []],
    ]


def test_a_reading_without_a_select_takes_no_statement(django_assert_num_queries: Callable[..., Any]) -> None:
    with django_assert_num_queries(0):
        assert run(nothing()) == "nothing"
        assert run(gather()) == []


def test_an_error_within_a_reading_is_raised() -> None:
    def failing() -> Reading[None]:
        yield [Select(["COUNT(*)"], "FROM survey_branch")]
        raise LookupError("of the reading")

    with pytest.raises(LookupError, match="of the reading"):
        run(gather(names("east"), failing()))
