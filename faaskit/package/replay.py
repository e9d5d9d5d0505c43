"""Replay requests against an unpacked package and print one line of JSON for each.

`package --verify` runs this file in the target's Python. It imports the standard library and the package, nothing else.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

SAMPLE = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
# method, path, query, content type, body, expected statuses
REQUESTS: list[tuple[str, str, dict[str, str], str, str, set[int]]] = [
    ("GET", "/hello/", {"name": "Tom"}, "", "", {200}),
    ("POST", "/hello/", {}, FORM, "name=Tom", {200}),
    ("GET", "/hello/Tom", {}, "", "", {200}),
    ("POST", "/welcome/post", {}, FORM, "name=Tom", {200}),
    ("GET", "/welcome/get", {"name": "Tom"}, "", "", {200}),
    ("GET", "/jieba/", {}, "", "", {200}),
    ("POST", "/jieba/", {}, JSON, '{"text": "口味很好,服务员态度热情"}', {200}),
    ("GET", "/", {}, "", "", {200}),
    ("GET", "/", {"lang": "en"}, "", "", {200}),
    ("POST", "/submitSurvey", {}, JSON, json.dumps({**SAMPLE, "email": "wang@example.com"}), {201}),
    ("POST", "/submitSurvey", {}, JSON, "{", {400}),
    ("GET", "/healthz", {}, "", "", {200}),
    ("GET", "/openapi.json", {}, "", "", {200}),
    ("GET", "/dashboard/login/", {}, "", "", {200}),
    ("GET", "/dashboard/", {}, "", "", {200, 302}),
    ("GET", "/privacy", {}, "", "", {200}),
    ("GET", "/erase", {}, "", "", {200}),
    ("GET", "/nothing-here", {}, "", "", {404}),
]

# MySQL's driver and the shared objects of its password exchange without TLS: the requests here use SQLite.
DRIVERS = (
    "pymysql",
    "cryptography.hazmat.primitives.asymmetric.padding",
    "cryptography.hazmat.primitives.serialization",
)


def main(root: Path, events: Path) -> int:
    """Return 0 when every result is the expected one and no module came from outside the package."""
    sys.path[:0] = [str(root / "var" / "user"), str(root / "opt")]
    import index

    for driver in DRIVERS:
        importlib.import_module(driver)
    context = json.loads((events / "context.json").read_text(encoding="utf-8"))
    passed = check("manage migrate", index.main_handler({"manage": ["migrate", "--noinput"]}, context), {0})
    for method, path, query, content_type, body, statuses in REQUESTS:
        result = index.main_handler(event_of(method, path, query, content_type, body), context)
        passed &= check(f"{method} {path}", result, statuses)
        if (method, path) == ("GET", "/"):
            for link in re.findall(r'"(/static/[^"]*)"', result["body"]):
                passed &= check(f"GET {link}", index.main_handler(event_of("GET", link), context), {200})
    for file in sorted(events.glob("*.json")):
        if file.name != "context.json":
            passed &= replay_sample(index, file, context)
    foreign = sorted(name for name, module in sys.modules.items() if is_foreign(module, root))
    for name in foreign:
        sys.stderr.write(f"{name} was imported from {sys.modules[name].__file__}, outside of the package\n")
    return 0 if passed and not foreign else 1


def event_of(
    method: str, path: str, query: dict[str, str] | None = None, content_type: str = "", body: str = ""
) -> dict[str, Any]:
    """Return the event of a Function URL."""
    headers = {"accept": "*/*", **({"content-type": content_type} if content_type else {})}
    return {"httpMethod": method, "path": path, "queryString": query or {}, "headers": headers, "body": body}


def replay_sample(index: Any, file: Path, context: dict[str, Any]) -> bool:  # noqa: ANN401  (the module)
    """Replay a sample event: HTTP must not end in a server error, other events may be refused by name."""
    event = json.loads(file.read_text(encoding="utf-8"))
    try:
        result = index.main_handler(event, context)
    except (index.UnknownEvent, index.CommandFailed) as error:
        return check(file.name, {"statusCode": type(error).__name__}, {"UnknownEvent", "CommandFailed"})
    return check(file.name, result, set(range(200, 500)))


def check(request: str, result: dict[str, Any], expected: set[Any]) -> bool:
    """Print one result and return whether its status is expected."""
    status = result.get("statusCode", result.get("exit_code"))
    passed = status in expected
    detail = "" if passed else str(result.get("body", result.get("output", "")))[:500]
    print(json.dumps({"request": request, "status": status, "passed": passed, "detail": detail}), flush=True)
    return passed


def is_foreign(module: Any, root: Path) -> bool:  # noqa: ANN401  (any module)
    """Return whether a module comes from other installed packages than those of the unpacked package."""
    file = getattr(module, "__file__", None)
    if not file or module.__name__ == "__main__":
        return False
    return not Path(file).is_relative_to(root) and "site-packages" in Path(file).parts


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
