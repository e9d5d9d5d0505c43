"""Send events to an unpacked package and print one line of JSON for each.

`package --verify` runs this file in the target's Python with the path of a plan, which verify.py writes as JSON. It
imports the standard library and the package, nothing else.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import zoneinfo
from pathlib import Path
from typing import Any

LINK = re.compile(r'(?:href|src)="(/[^/"][^"]*\.(?:css|js))"')  # of what a page needs


def main(plan: dict[str, Any]) -> int:
    """Return 0 when every result is the expected one and no module came from outside the package."""
    root = Path(plan["root"])
    zoneinfo.reset_tzpath(())  # this machine's time zone database is not the package's
    sys.path[:0] = [str(root / place) for place in plan["places"]]
    os.chdir(sys.path[0])  # as the platform's PWD says; relative paths are read from there
    if plan["migrate"]:
        migrate(root)
        return 0
    name, _, function = plan["handler"].rpartition(".")
    module = importlib.import_module(name)
    handler = getattr(module, function)
    passed, links = True, dict[str, None]()
    for test in plan["tests"]:
        result = handler(test["event"], plan["context"])
        passed &= check(test["request"], result, test["statuses"])
        links |= dict.fromkeys(LINK.findall(str(result.get("body", ""))))
    for link in links:
        passed &= check(f"GET {link}", handler(plan["get"] | {"path": link}, plan["context"]), [200])
    for file in sorted(Path(plan["events"]).glob("*.json")) if plan["events"] else []:
        if file.name != "context.json":
            passed &= replay_sample(module, handler, file, plan["context"])
    for name in plan["imports"]:
        importlib.import_module(name)
    foreign = sorted(name for name, module in sys.modules.items() if is_foreign(module, root))
    for name in foreign:
        sys.stderr.write(f"{name} was imported from {sys.modules[name].__file__}, outside of the package\n")
    return 0 if passed and not foreign else 1


def migrate(root: Path) -> None:
    """Migrate a Django project's SQLite file that would lie in the package: nobody could write it there."""
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    if connection.vendor == "sqlite" and Path(connection.settings_dict["NAME"]).is_relative_to(root):
        call_command("migrate", verbosity=0)


def replay_sample(module: Any, handler: Any, file: Path, context: dict[str, Any]) -> bool:  # noqa: ANN401
    """Replay a sample event: HTTP must not end in a server error, other events may be refused by name."""
    event = json.loads(file.read_text(encoding="utf-8"))
    try:
        result = handler(event, context)
    except (module.UnknownEvent, module.CommandFailed) as error:
        return check(file.name, {"statusCode": type(error).__name__}, ["UnknownEvent", "CommandFailed"])
    return check(file.name, result, list(range(200, 500)))


def check(request: str, result: dict[str, Any], expected: list[Any]) -> bool:
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
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
