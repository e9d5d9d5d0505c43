"""The templates for other platforms are valid and name what is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import index

ROOT = Path(__file__).parent.parent
LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"


def test_cfn_lint_accepts_the_aws_template_and_its_runtime() -> None:
    template = ROOT / "deploy" / "aws" / "template.yaml"
    ended = subprocess.run(
        [sys.executable, "-c", LINT, template],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout
    assert 'Path: "/{proxy+}"' in template.read_text("utf-8")


def test_the_aliyun_file_names_the_handler_and_a_timer_that_its_allow_list_has(monkeypatch: pytest.MonkeyPatch) -> None:
    document = yaml.safe_load((ROOT / "deploy" / "aliyun" / "s.yaml").read_text("utf-8"))
    function = document["resources"]["survey"]["props"]
    module, _, attribute = function["handler"].partition(".")
    assert (module, hasattr(index, attribute)) == ("index", True)
    monkeypatch.setenv("MANAGE_COMMANDS", function["environmentVariables"]["MANAGE_COMMANDS"])
    timer = next(trigger for trigger in function["triggers"] if trigger["triggerType"] == "timer")
    assert index.allowed(timer["triggerConfig"]["payload"].split())
