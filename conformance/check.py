"""Compare what came of a case with what must come of it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

from conformance.application import application, content

CASES = Path(__file__).parent / "cases"
EVENTS = Path(__file__).parent.parent / "tests" / "events"
CONTEXT = SimpleNamespace(aws_request_id="r-1", function_name="survey")


def load_rows(platforms: set[str]) -> dict[str, list[dict[str, Any]]]:
    """The cases of each row, for these platforms, or for all if none is named."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(CASES.glob("*.json")):
        for row in json.loads(file.read_text("utf-8")):
            if not platforms or row["platform"] in platforms:
                rows[row["row"]] = row["cases"]
    return rows


def merged(event: Any, changes: Any) -> Any:
    """The event with the changes; maps are merged, anything else replaces what was there."""
    if not isinstance(event, dict) or not isinstance(changes, dict):
        return changes
    return {**event, **{key: merged(event.get(key), value) for key, value in changes.items()}}


def event_of(case: dict[str, Any]) -> Any:
    """The event: a recorded one by name, or one of the case's own, with changes."""
    event = case["event"]
    if isinstance(event, str):
        event = json.loads((EVENTS / f"{event}.json").read_text("utf-8"))
    event = merged(event, case.get("changes", {}))
    event = {**event, **{key: {} for key in case.get("empty", [])}}
    return json.dumps(event).encode() if case.get("bytes") else event


def faults(handler: Callable[[Any, Any], Any], case: dict[str, Any]) -> list[str]:
    """Run a case; return what is wrong with it, in a few words each."""
    application.prepare(case.get("returns", {}))
    try:
        result = handler(event_of(case), CONTEXT)
    except Exception as error:  # noqa: BLE001 a bridge that raises is judged by what it says
        return refusal_faults(error, case)
    if "raises" in case:
        return [f"answered {str(result)[:60]!r} instead of raising"]
    return [*seen_faults(case.get("sees", {})), *result_faults(result, case.get("gets", {}))]


def refusal_faults(error: Exception, case: dict[str, Any]) -> list[str]:
    """An error is right only where one is wanted, and then it has a name of its own and names the event."""
    what = f"{type(error).__name__}: {error}"
    if "raises" not in case:
        return [f"raised {what}"]
    named = not case["raises"] or any(word in str(error) for word in case["raises"])
    return [] if named and not isinstance(error, (KeyError, AttributeError, TypeError)) else [f"raised {what}"]


def seen_faults(sees: dict[str, Any]) -> list[str]:
    """Compare what the application saw. `query` is decoded, `body` are the request's bytes; others are environ keys."""
    environ = application.environ
    joined = {key: value.replace(", ", ",") for key, value in environ.items() if key.startswith("HTTP_")}
    found: dict[str, Any] = {
        **environ,
        **joined,  # repeats may be joined with a space or without
        "query": [list(pair) for pair in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)],
        "body": application.body,
        "closed": application.closed,
        "called": bool(environ),
    }
    wanted = {key: content(value) if key == "body" else value for key, value in sees.items() if key != "present"}
    wrong = [f"{key} was {found.get(key)!r}" for key, value in wanted.items() if found.get(key) != value]
    return wrong + [f"{key} was empty" for key in sees.get("present", []) if not environ.get(key)]


def result_faults(result: Any, gets: dict[str, Any]) -> list[str]:
    """Compare what the platform gets: `status`, `body`, `headers`, `isBase64Encoded`, `contains`, `lacks`, `keys`."""
    if not isinstance(result, dict):
        return [f"returned a {type(result).__name__}"]
    body = result.get("body") or ""
    data = b64decode(body) if result.get("isBase64Encoded") else body.encode()
    wrong = []
    if "status" in gets and str(result.get("statusCode")) != str(gets["status"]):  # API Gateway takes a text too
        wrong.append(f"statusCode was {result.get('statusCode')!r}")
    if "body" in gets and data != content(gets["body"]):
        wrong.append(f"the body was {data[:40]!r}")
    if "isBase64Encoded" in gets and bool(result.get("isBase64Encoded")) != gets["isBase64Encoded"]:
        wrong.append(f"isBase64Encoded was {result.get('isBase64Encoded')!r}")
    wrong += [f"the body lacks {text!r}" for text in gets.get("contains", []) if text.encode() not in data]
    wrong += [f"the body has {text!r}" for text in gets.get("lacks", []) if text.encode() in data]
    for name, values in gets.get("headers", {}).items():
        if sorted(header(result, name)) != values:
            wrong.append(f"{name} was {header(result, name)}")
    if "status_line" in gets and result.get("statusDescription") != gets["status_line"]:
        wrong.append(f"statusDescription was {result.get('statusDescription')!r}")
    for key, present in gets.get("keys", {}).items():
        if bool(result.get(key)) != present:
            wrong.append(f"{key} was {result.get(key)!r}")
    return wrong


def header(result: dict[str, Any], name: str) -> list[str]:
    """All values of a header of a result, however it holds them; `name` in lower case."""
    values = list(result.get("cookies") or []) if name == "set-cookie" else []
    for key, value in {**(result.get("headers") or {}), **(result.get("multiValueHeaders") or {})}.items():
        if key.lower() == name:
            values += value if isinstance(value, list) else [value]
    return values
