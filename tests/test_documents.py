"""What the documents tell the reader to type."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ITEM = re.compile(r"    (\S.*?)\s*(?:\s{2}#.*)?")


def commands(name: str) -> list[str]:
    """The indented lines of a document, without their comments."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [match[1] for line in lines if (match := ITEM.fullmatch(line))]
    return [line for line in found if not line.startswith("#")]


def test_both_readmes_give_the_same_commands():
    english = commands("README.md")
    assert "python manage.py deploy --dry-run" in english
    assert commands("README.zh-CN.md") == english
