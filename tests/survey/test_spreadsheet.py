"""CSV shows what guests wrote and never runs it as a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.staff import spreadsheet


@pytest.mark.parametrize(
    "formula",
    [
        '=HYPERLINK("http://evil.example","x")',
        "+1+cmd|'/C calc'!A0",
        "-2+3",
        "@SUM(1)",
        "\uff1d1+1",
        "\uff201",
        "  =1+1",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "\x00=1+1",
        "\u202e=1+1",
        "\ufeff=1+1",
        "\u200b=1+1",
        "\u00ad\u2060 =1+1",
        "\u200d=1+1",
        " \u200c =1+1",
    ],
)
def test_a_formula_becomes_text(formula):
    assert spreadsheet.cell(formula).startswith("'")


def test_harmless_text_is_left_alone():
    for text in ("菜很好吃,服务=满分", "a-b", "谢谢😄", "👩\u200d🍳", "'quoted", "13800138000", "5 > 3"):
        assert spreadsheet.cell(text) == text


def test_a_negative_number_stays_a_number():
    assert spreadsheet.cell(-5) == "-5"


def test_nothing_is_an_empty_cell():
    assert spreadsheet.cell(None) == ""


def test_line_breaks_stay_and_control_characters_go():
    assert spreadsheet.cell("first\r\nsecond\x07\x1b[31m\x9b") == "first\nsecond[31m"


def test_a_line_has_the_line_end_and_the_quotes_of_rfc_4180():
    assert spreadsheet.line(["a,b", 'say "hi"', "two\nlines", 3]) == '"a,b","say ""hi""","two\nlines",3\r\n'


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1))
def test_every_line_reads_back_as_its_cells_and_none_is_a_formula(values):
    [row] = csv.reader(io.StringIO(spreadsheet.line(values), newline=""))
    assert row == [spreadsheet.cell(value) for value in values]
    assert not any(value.lstrip().startswith(spreadsheet.FORMULA_STARTS) for value in row)
