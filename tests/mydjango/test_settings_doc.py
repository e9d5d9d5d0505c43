"""docs/settings.md lists exactly the environment variables that the project reads."""

from __future__ import annotations

import re

from tests.support.processes import ROOT

READ = re.compile(r"environment\.(?:text|flag|integer)\(\s*\"([A-Z_]+)\"")
ROW = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)


def test_the_table_and_the_code_name_the_same_variables() -> None:
    sources = [*(ROOT / "mydjango").rglob("*.py"), *(ROOT / "survey").rglob("*.py")]
    read = {name for source in sources for name in READ.findall(source.read_text(encoding="utf-8"))}
    assert set(ROW.findall((ROOT / "docs" / "settings.md").read_text(encoding="utf-8"))) == read
