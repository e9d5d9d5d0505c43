"""deploy/aws and deploy/aliyun name the handler that index.py has and the folders that `manage.py package` writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import index

ROOT = Path(__file__).parent.parent
TEMPLATES = ("deploy/aws/template.yaml", "deploy/aliyun/s.yaml")
# What `package` writes (docs/package.md): folder and archive of the code, folder and archive of the packages.
CODE = {ROOT / "build" / name for name in ("function", "function.zip")}
LAYER = {ROOT / "build" / name for name in ("layer", "layer.zip")}


class Loader(yaml.SafeLoader):
    """CloudFormation's short functions (`!Ref Name`) read as their argument."""


Loader.add_multi_constructor("!", lambda loader, tag, node: getattr(node, "value", None))


def found(value: Any, names: set[str]) -> list[Any]:
    """Every value of one of these keys, at any depth."""
    if isinstance(value, dict):
        own = [item for key, item in value.items() if key in names]
        return own + [entry for item in value.values() for entry in found(item, names)]
    return [entry for item in value for entry in found(item, names)] if isinstance(value, list) else []


@pytest.fixture(params=TEMPLATES)
def template(request) -> tuple[Path, Any]:
    path = ROOT / request.param
    return path, yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)


def test_the_handler_is_the_one_that_index_py_has(template):
    handlers = found(template[1], {"Handler", "handler"})
    assert handlers
    assert set(handlers) == {"index.main_handler"}
    assert callable(index.main_handler)


def test_the_runtime_is_a_python_that_the_project_runs_on(template):
    runtimes = [runtime for runtime in found(template[1], {"Runtime", "runtime"}) if isinstance(runtime, str)]
    assert runtimes
    for runtime in runtimes:
        match = re.fullmatch(r"python3\.(\d+)", runtime)
        assert match
        assert int(match[1]) >= 10


def test_code_and_layer_are_what_package_writes(template):
    path, document = template
    said = [place for place in found(document, {"CodeUri", "ContentUri", "code"}) if isinstance(place, str)]
    places = {(path.parent / place).resolve() for place in said}
    assert places <= CODE | LAYER
    assert places & CODE
    assert places & LAYER or "build/layer" in path.read_text(encoding="utf-8")


def test_the_layer_is_on_the_path(template):
    """`package` puts the packages at the root of the layer, as SCF wants them; elsewhere PYTHONPATH has to say so."""
    values = [value for value in found(template[1], {"PYTHONPATH"}) if isinstance(value, str)]
    assert values
    for value in values:
        assert "/opt" in value.split(":")
