"""docs/faaskit.md has every option of every verb, and every entry of the table."""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from dataclasses import fields
from pathlib import Path

from faaskit.cli import VERBS
from faaskit.gateways.registry import GATEWAYS
from faaskit.project import Project

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "faaskit.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table's rows below a heading or a comment."""
    lines = TEXT.partition(f"{heading}\n")[2].lstrip("\n").splitlines()
    table = lines[: next(number for number, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_the_options_are_those_of_the_parsers() -> None:
    documented = defaultdict(set)
    for names, verbs, _ in rows("<!-- options -->"):
        for verb in verbs.split(", "):
            documented[verb] |= set(re.findall(r"`([\w-]+)", names))
    assert documented.keys() == VERBS.keys()
    for name, verb in VERBS.items():
        parser = argparse.ArgumentParser(add_help=False)
        verb.load().add_arguments(parser)
        actions = parser._actions
        assert documented[name] == {name for each in actions for name in each.option_strings or [each.dest]}, name


def test_the_entries_are_those_of_the_table() -> None:
    documented = [name.strip("`") for name, _ in rows("<!-- entries -->")]
    assert documented == [each.name.replace("_", "-") for each in fields(Project) if each.name != "folder"]


def test_every_gateway_is_in_the_table_with_what_it_carries() -> None:
    names = {}
    for gateways, images, _, size, *_ in rows("## What each gateway carries\n"):
        names |= {
            name: (images.startswith("yes"), size.partition(" MB")[0]) for name in re.findall("`(.+?)`", gateways)
        }
    limits = {name: str(each.platform.payload_limit // 1024**2) for name, each in GATEWAYS.items()}
    assert names == {name: (each.carries_binary, limits[name]) for name, each in GATEWAYS.items()}
