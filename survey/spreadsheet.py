"""CSV that a spreadsheet opens as text and never as a formula. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which Excel knows UTF-8

# OWASP, "CSV Injection", and the full-width signs that Excel and WPS take for their plain forms.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

# C0 but the line feed, DEL, C1, and what turns the direction of writing: in a cell they only ever hide something.
_INVISIBLE: Final = dict.fromkeys(
    code
    for codes in (range(0x20), range(0x7F, 0xA0), (0x200E, 0x200F), range(0x202A, 0x202F), range(0x2066, 0x206A))
    for code in codes
    if code != 0x0A
)


def cell(value: object) -> str:
    """A value as harmless text: None is empty, a formula gets an apostrophe before it, control characters go."""
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return str(value)  # a negative number is a number
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").translate(_INVISIBLE)
    return f"'{text}" if text.lstrip().startswith(FORMULA_STARTS) else text


def line(values: Iterable[object]) -> str:
    """One line of CSV, every cell harmless, ended as RFC 4180 says."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n").writerow([cell(value) for value in values])
    return text.getvalue()
