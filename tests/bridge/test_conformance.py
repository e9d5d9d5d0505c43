"""The conformance suite: index.py passes it, a bridge that does not is told why, and the data is complete."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance import check
from conformance.__main__ import main

EVENTS = Path(__file__).parents[1] / "events"
NOT_HTTP = {"ckafka", "cls", "cmq", "context", "cos", "timer"}


def test_index_py_passes_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance.peers:index", "--why"]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert f"of {len(check.load_rows(set()))}" in last


def test_a_bridge_that_is_wrong_fails_and_is_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "echo.py").write_text("def handler(event, context):\n    return {'statusCode': 200, 'body': 'ok'}\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:.")
    assert main(["echo:handler", "--platforms", "aliyun", "--why"]) == 1
    output = capsys.readouterr().out
    assert "| Aliyun FC, bytes" in output
    assert "Tencent" not in output
    assert "echo:handler: Aliyun FC, bytes: PATH_INFO was None" in output


def test_a_handler_that_cannot_be_imported_stops_the_suite() -> None:
    with pytest.raises(SystemExit, match="no_such_module"):
        main(["no_such_module:handler"])


def test_every_recorded_http_event_is_a_case() -> None:
    cases = [case for rows in check.load_rows(set()).values() for case in rows]
    recorded = {case["event"] for case in cases if isinstance(case["event"], str)}
    assert recorded - {"cos"} == {file.stem for file in EVENTS.glob("*.json")} - NOT_HTTP


def test_the_documented_keys_are_those_that_cases_have() -> None:
    documented = (EVENTS.parents[1] / "docs" / "bridge.md").read_text("utf-8")
    for file in check.CASES.glob("*.json"):
        for row in json.loads(file.read_text("utf-8")):
            assert row["platform"] in ("aws", "tencent", "aliyun")
            for case in row["cases"]:
                assert all(f"| `{key}` |" in documented for key in case)
