"""CSV whose cells no spreadsheet runs as a formula. Pure, no Django."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"  # Excel recognizes UTF-8 by it

# https://owasp.org/www-community/attacks/CSV_Injection, and the full-width signs, which Excel and WPS treat alike.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

# Format characters that emoji and some scripts need between letters.
_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_KEPT: Final = "\n" + _JOINERS
_FORMULA: Final = re.compile(rf"[\s{_JOINERS}]*[{re.escape(''.join(FORMULA_STARTS))}]")


def cell(value: object) -> str:
    """Return a value as text without invisible characters: None is empty, a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return str(value)  # a negative number is a number
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    if not text.isprintable():
        text = "".join(filter(_is_visible, text))
    return f"'{text}" if _FORMULA.match(text) else text


def line(values: Iterable[object]) -> str:
    """Return one line of CSV with escaped cells and the line end of RFC 4180."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n").writerow([cell(value) for value in values])
    return text.getvalue()


def _is_visible(character: str) -> bool:
    """Return whether a cell keeps the character: control and format characters only hide text."""
    return character in _KEPT or unicodedata.category(character) not in ("Cc", "Cf")
