"""Run by `package --verify` in the target's Python, over an unpacked package: one line of JSON for each request.

Imports nothing but the standard library and, through index.py, what was packed.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

SAMPLE = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
# method, path, query, content type, body, the statuses that are right
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


# What only MySQL needs, with the shared objects that password exchange without TLS loads.
DRIVERS = (
    "pymysql",
    "cryptography.hazmat.primitives.asymmetric.padding",
    "cryptography.hazmat.primitives.serialization",
)


def main(root: Path, events: Path) -> int:
    """Replay; 0 when every answer was right and nothing came from outside the package."""
    sys.path[:0] = [str(root / "var" / "user"), str(root / "opt")]
    import index

    for driver in DRIVERS:
        importlib.import_module(driver)
    context = json.loads((events / "context.json").read_text(encoding="utf-8"))
    right = report("manage migrate", index.main_handler({"manage": ["migrate", "--noinput"]}, context), {0})
    for method, path, query, content_type, body, statuses in REQUESTS:
        answer = index.main_handler(event_of(method, path, query, content_type, body), context)
        right &= report(f"{method} {path}", answer, statuses)
        if (method, path) == ("GET", "/"):
            for link in static_links(answer["body"]):
                right &= report_static(index, link, context)
    for file in sorted(events.glob("*.json")):
        if file.name != "context.json":
            right &= replay_sample(index, file, context)
    strangers = sorted(name for name, module in sys.modules.items() if is_stranger(module, root))
    for name in strangers:
        sys.stderr.write(f"{name} was imported from {sys.modules[name].__file__}, outside of the package\n")
    return 0 if right and not strangers else 1


def event_of(method: str, path: str, query: dict[str, str], content_type: str, body: str) -> dict[str, Any]:
    """A Function URL's event."""
    headers = {"accept": "*/*", **({"content-type": content_type} if content_type else {})}
    return {"httpMethod": method, "path": path, "queryString": query, "headers": headers, "body": body}


def static_links(page: str) -> list[str]:
    """The static files that a page names."""
    return [piece.partition('"')[0] for piece in page.split('"') if piece.startswith("/static/")]


def report_static(index: Any, link: str, context: dict[str, Any]) -> bool:  # noqa: ANN401  (the module)
    """Ask for a static file."""
    return report(f"GET {link}", index.main_handler(event_of("GET", link, {}, "", ""), context), {200})


def replay_sample(index: Any, file: Path, context: dict[str, Any]) -> bool:  # noqa: ANN401  (the module)
    """Replay a sample event: HTTP must not fail, anything else may be refused by name."""
    event = json.loads(file.read_text(encoding="utf-8"))
    try:
        answer = index.main_handler(event, context)
    except (index.UnknownEvent, index.CommandFailed) as refusal:
        return report(file.name, {"statusCode": type(refusal).__name__}, {"UnknownEvent", "CommandFailed"})
    return report(file.name, answer, set(range(200, 500)))


def report(request: str, answer: dict[str, Any], expected: set[Any]) -> bool:
    """Print one answer; whether it was right."""
    status = answer.get("statusCode", answer.get("exit_code"))
    right = status in expected
    detail = "" if right else str(answer.get("body", answer.get("output", "")))[:500]
    print(json.dumps({"request": request, "status": status, "right": right, "detail": detail}), flush=True)
    return right


def is_stranger(module: Any, root: Path) -> bool:  # noqa: ANN401  (any module)
    """Whether a module is neither the package's nor the standard library's."""
    file = getattr(module, "__file__", None)
    if not file or module.__name__ == "__main__":
        return False
    return not Path(file).is_relative_to(root) and "site-packages" in Path(file).parts


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
