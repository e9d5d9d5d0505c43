"""Colours of the pages from the one colour of the brand, each readable where it is used. Pure arithmetic, no Django.

Contrast as WCAG 2.2 defines it: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

from __future__ import annotations

import re
from colorsys import hls_to_rgb, rgb_to_hls
from typing import NamedTuple

READABLE = 4.5  # WCAG 1.4.3, AA
MARGIN = 0.05  # above READABLE, for the rounding to whole bytes
VISIBLE = 1.2  # of a button's ground against the page's, from which on a button shows as one
TINT = 0.1  # of the brand in the ground of what is chosen

WHITE, BLACK = "#ffffff", "#000000"
# What text stands on: the grounds and papers of survey.css and dashboard.css.
LIGHT_GROUNDS, DARK_GROUNDS = ("#f6f3ee", "#f6f4f0", "#ffffff"), ("#16181b", "#22262b")

COLOR = re.compile(r"#[0-9a-f]{6}")


class Palette(NamedTuple):
    """The colours of light or of dark pages, as #rrggbb."""

    brand: str  # text, links, borders and icons
    on_brand: str  # text on it
    fill: str  # ground of the main button: the brand itself where it shows
    on_fill: str
    chosen: str  # ground of a chosen option, with `brand` on it


def palettes(color: str) -> tuple[Palette, Palette]:
    """Return the colours of light and of dark pages. Raises ValueError for anything but #rrggbb in lower case."""
    if not COLOR.fullmatch(color):
        raise ValueError(f"{color!r} is not a colour like #b3261e.")
    return _palette(color, LIGHT_GROUNDS, is_dark=False), _palette(color, DARK_GROUNDS, is_dark=True)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def css(color: str) -> str:
    """Return the rules that give these colours to survey.css, dashboard.css and admin.css."""
    light, dark = palettes(color)
    return (
        f":root {{ {_variables(light)} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {_variables(dark)} }} }}\n"
    )


def _variables(palette: Palette) -> str:
    return " ".join(f"--{name.replace('_', '-')}: {value};" for name, value in palette._asdict().items())


def _palette(color: str, grounds: tuple[str, ...], *, is_dark: bool) -> Palette:
    chosen = _mixed(grounds[-1], color)
    brand = _readable(color, (*grounds, chosen), is_dark=is_dark)
    fill = color if min(contrast(color, ground) for ground in grounds) >= VISIBLE else brand
    return Palette(brand, _text_on(brand), fill, _text_on(fill), chosen)


def _text_on(ground: str) -> str:
    """Return white or black: one of them has a contrast of at least 4.58 with any colour."""
    return max(WHITE, BLACK, key=lambda text: contrast(text, ground))


def _readable(color: str, grounds: tuple[str, ...], *, is_dark: bool) -> str:
    """Return the colour of this hue that is readable on each ground and as close to this lightness as can be."""
    if _is_readable(color, grounds):
        return color
    hue, lightness, saturation = rgb_to_hls(*(channel / 255 for channel in _channels(color)))
    # Between this lightness, which is not readable, and white or black, which is.
    near, far = lightness, 1.0 if is_dark else 0.0
    for _step in range(12):
        middle = (near + far) / 2
        if _is_readable(_hex(*hls_to_rgb(hue, middle, saturation)), grounds):
            far = middle
        else:
            near = middle
    return _hex(*hls_to_rgb(hue, far, saturation))


def _is_readable(color: str, grounds: tuple[str, ...]) -> bool:
    return min(contrast(color, ground) for ground in grounds) >= READABLE + MARGIN


def _mixed(ground: str, color: str) -> str:
    pairs = zip(_channels(ground), _channels(color), strict=True)
    return _hex(*(((1 - TINT) * below + TINT * above) / 255 for below, above in pairs))


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _hex(*channels: float) -> str:
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)
