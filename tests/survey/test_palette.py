"""Whatever colour a chain has, what is written in it and on it can be read."""

from __future__ import annotations

import random

import pytest

from survey.models.brand import COLOR as STORED_COLOR
from survey.palette import COLOR, DARK_GROUNDS, LIGHT_GROUNDS, READABLE, contrast, css, palettes
from tests.support.processes import ROOT

NAMED = ("#b3261e", "#ffd700", "#ffffff", "#000000", "#0a7d3f", "#00ffff", "#ff00ff", "#808080", "#f6f3ee", "#16181b")
CHANCE = random.Random(20_261_122)
COLORS = (*NAMED, *(f"#{CHANCE.randrange(1 << 24):06x}" for _number in range(3_000)))


def test_a_stored_colour_is_one_that_has_a_palette() -> None:
    assert COLOR.pattern + r"\Z" == STORED_COLOR


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the usual example of a near miss
    assert contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("is_dark", [False, True])
def test_every_colour_gives_readable_pages(is_dark: bool) -> None:
    grounds = DARK_GROUNDS if is_dark else LIGHT_GROUNDS
    for color in COLORS:
        palette = palettes(color)[is_dark]
        pairs = [(palette.brand, ground) for ground in (*grounds, palette.chosen)]
        pairs += [(palette.brand, palette.on_brand), (palette.fill, palette.on_fill)]
        assert min(contrast(one, other) for one, other in pairs) >= READABLE, color


@pytest.mark.parametrize("color", ["#b3261e", "#0a5c36", "#1d5fa8"])
def test_a_colour_that_is_readable_stays_as_it_is(color: str) -> None:
    light, _dark = palettes(color)
    assert (light.brand, light.fill, light.on_fill) == (color, color, "#ffffff")


def test_a_bright_colour_fills_the_button_and_darkens_for_text() -> None:
    light, dark = palettes("#ffd700")
    assert (light.fill, light.on_fill, dark.brand) == ("#ffd700", "#000000", "#ffd700")
    assert light.brand != "#ffd700"


def test_the_grounds_are_those_of_the_stylesheets() -> None:
    for name in ("survey", "dashboard"):
        text = (ROOT / "survey" / "static" / "survey" / f"{name}.css").read_text("utf-8")
        light, dark = text.split("@media (prefers-color-scheme: dark)")[:2]
        for rules, grounds in ((light, LIGHT_GROUNDS), (dark, DARK_GROUNDS)):
            found = {rules.partition(f"--{kind}: ")[2].partition(";")[0] for kind in ("ground", "paper")}
            assert {color.replace("#fff", "#ffffff") if color == "#fff" else color for color in found} <= set(grounds)


def test_the_rules_set_the_colours_of_light_and_dark_pages() -> None:
    light, dark = palettes("#0a7d3f")
    rules = css("#0a7d3f")
    assert f":root {{ --brand: {light.brand}; --on-brand: #ffffff; --fill: #0a7d3f;" in rules
    assert f"dark) {{ :root {{ --brand: {dark.brand};" in rules


@pytest.mark.parametrize("color", ["", "red", "#fff", "#FFD700", "#12345g", "#1234567", "#123456\n", "url(#123456)"])
def test_anything_but_a_colour_is_refused(color: str) -> None:
    with pytest.raises(ValueError, match="is not a colour"):
        palettes(color)
