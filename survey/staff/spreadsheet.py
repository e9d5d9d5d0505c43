"""CSV that a spreadsheet opens as text and never as a formula. Pure."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which Excel knows UTF-8

# OWASP, "CSV Injection", and the full-width signs that Excel and WPS take for their plain forms.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

# Format characters that join or part the letters of some scripts, and emoji.
_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_FORMULA: Final = re.compile(rf"[\s{_JOINERS}]*[{re.escape(''.join(FORMULA_STARTS))}]")


class _WithoutInvisible(dict[int, "str | None"]):
    """A table for str.translate that drops control and format characters (Cc, Cf) but the line feed and the joiners:
    in a cell they only ever hide something. Filled as characters are met."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        dropped = unicodedata.category(character) in ("Cc", "Cf") and character not in ("\n", *_JOINERS)
        return self.setdefault(code, None if dropped else character)


_WITHOUT_INVISIBLE: Final = _WithoutInvisible()


def cell(value: object) -> str:
    """A value as harmless text: None is empty, a formula gets an apostrophe before it, invisible characters go."""
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return str(value)  # a negative number is a number
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").translate(_WITHOUT_INVISIBLE)
    return f"'{text}" if _FORMULA.match(text) else text


def line(values: Iterable[object]) -> str:
    """One line of CSV, every cell harmless, ended as RFC 4180 says."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n").writerow([cell(value) for value in values])
    return text.getvalue()
