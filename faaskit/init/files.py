"""The files that `faaskit init` writes for an application."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from faaskit.init.detect import Application
from faaskit.init.requirements import imported_packages
from faaskit.init.routes import HEALTH, get_paths
from faaskit.init.source import modules
from faaskit.init.variables import environment_variables
from faaskit.project import requirement_files

TEMPLATES = Path(__file__).parent.parent / "templates"
# A wheel has index.py among the templates, a checkout at its top.
BRIDGE = next(path for path in (TEMPLATES / "index.py", TEMPLATES.parent.parent / "index.py") if path.is_file())

WORKFLOW = ".github/workflows/deploy.yml"
STATIC = "wsgi_static"  # the module that serves static files where nothing else does
INSTANCE = "wsgi_instance"  # the module that makes Flask's instance folder where a function may write
ASGI_ADAPTER = "a2wsgi==1.10.10"
# Parts of a project that a function does not need; hidden ones, virtual environments and Markdown beside them.
NOT_SHIPPED = frozenset(
    """Dockerfile LICENSE LICENSE.txt MANIFEST.in Makefile Pipfile Pipfile.lock Procfile README.rst README.txt
    build dist docs env instance media node_modules package-lock.json package.json poetry.lock pyproject.toml pytest.ini
    runtime.txt serverless.yml setup.cfg setup.py test tests tox.ini uv.lock venv""".split()  # noqa: SIM905  (shorter than a list)
)
MOST_PATHS = 5  # of a table's smoke requests
TIMER = """
    # A management command, nightly at 3:30 in UTC+8; MANAGE_COMMANDS must allow it.
    # - timer:
    #     parameters:
    #       name: clear-sessions
    #       qualifier: $DEFAULT
    #       cronExpression: '0 30 3 * * * *'
    #       argument: clearsessions
    #       enable: true"""


class _Template(Template):
    delimiter = "@"  # serverless.yml is full of dollars


@dataclass(frozen=True)
class Planned:
    """A file to write; the table of pyproject.toml is added to the end of one that exists."""

    name: str
    content: str
    is_table: bool = False


def plan(folder: Path, application: Application, with_workflow: bool = False) -> list[Planned]:
    """Return the files of a project, in the order in which they are reported."""
    planned = [Planned("index.py", BRIDGE.read_text(encoding="utf-8"))]
    target = application.target
    source = _source(folder)
    name = _wrapper(application, source)
    if name:
        module, _, attribute = target.partition(":")
        call = "()" if attribute.endswith("()") else ""
        values = {"module": module, "attribute": attribute.removesuffix("()"), "call": call}
        planned.append(Planned(f"{name}.py", _filled(f"{name}.py-tpl", values)))
        target = f"{name}:application"
    requirements = _requirements(folder, application)
    if requirements:
        planned.append(requirements)
    read = environment_variables(modules(folder))
    planned.append(Planned("serverless.yml", _serverless_yml(folder, application, target, read)))
    table = _table(folder, application, target, [each.name for each in planned], read)
    planned.append(Planned("pyproject.toml", table, is_table=True))
    if with_workflow:
        own = "requirements.txt"
        has_own = (folder / own).is_file() or any(each.name == own for each in planned)
        install = f"pip install {f'-r {own} ' if has_own else ''}'faaskit[local,package,deploy]'"
        planned.append(Planned(WORKFLOW, workflow(install, "faaskit")))
    return planned


def workflow(install: str, faaskit: str) -> str:
    """Return the workflow of GitHub Actions that packages and deploys, with two commands."""
    return _filled("github-workflow.yml-tpl", {"install": install, "faaskit": faaskit})


def is_bridge(source: str) -> bool:
    """Return whether an index.py is the bridge, of any version."""
    return "def main_handler(" in source and "WSGI_APPLICATION" in source


def _filled(name: str, values: dict[str, str]) -> str:
    return _Template((TEMPLATES / name).read_text(encoding="utf-8")).substitute(values)


def _source(folder: Path) -> str:
    """Return the text of the project's modules."""
    return "\n".join(module.path.read_text(encoding="utf-8", errors="replace") for module in modules(folder))


def _wrapper(application: Application, source: str) -> str:
    """Return the module that the application is served through, '' for none.

    Django's static files need one where nothing serves them, and Flask's instance folder, which is in the project's.
    """
    if application.settings and "django.contrib.staticfiles" in source and "whitenoise" not in source.lower():
        return STATIC
    return INSTANCE if re.search(r"^(?:from|import) flask\b", source, re.MULTILINE) and "instance_" in source else ""


def _requirements(folder: Path, application: Application) -> Planned | None:
    """Return requirements where the project names none, or where an ASGI application lacks its adapter."""
    own = folder / "requirements.txt"
    if not requirement_files(folder):
        packages = imported_packages(folder, modules(folder)) + [ASGI_ADAPTER] * application.asgi
        lines = "# What the project imports, as it is installed here; add what these packages need besides.\n"
        return Planned(own.name, lines + "".join(f"{package}\n" for package in packages)) if packages else None
    if not application.asgi or not own.is_file() or "a2wsgi" in own.read_text(encoding="utf-8", errors="replace"):
        return None
    lines = "# What the function needs: index.py runs an ASGI application through a2wsgi.\n-r requirements.txt\n"
    return Planned("requirements-function.txt", f"{lines}{ASGI_ADAPTER}\n")


def _serverless_yml(folder: Path, application: Application, target: str, read: dict[str, bool]) -> str:
    lines = [f"      {name}: ${{env:{name}}}{'  # required' if required else ''}" for name, required in read.items()]
    if application.settings and target.startswith("django."):  # no module of the project's names the settings
        lines.append(f"      DJANGO_SETTINGS_MODULE: {application.settings}")
    if application.settings:
        lines.append(
            "      # Management commands that timers and 'faaskit invoke --manage' may run, with their options."
        )
        lines.append("      MANAGE_COMMANDS: migrate --noinput --check --plan; check --deploy; clearsessions")
    values = {
        "name": _function_name(folder),
        "application": target,
        "variables": "".join(f"{line}\n" for line in lines),
        "timer": TIMER if application.settings else "",
    }
    return _filled("serverless.yml-tpl", values).rstrip() + "\n"


def _function_name(folder: Path) -> str:
    """Return the folder's name as a function's: letters, digits and hyphens, a letter first, 40 at most."""
    own = folder.parent.name if folder.name in ("src", "app", "backend") else folder.name
    name = re.sub(r"[^a-z0-9]+", "-", own.lower()).strip("-")[:40].strip("-")
    return name if name[:1].isalpha() else f"app-{name}".rstrip("-")


def _table(folder: Path, application: Application, target: str, written: list[str], read: dict[str, bool]) -> str:
    """Return the table `[tool.faaskit]`."""
    ships = {name for name in written if name.endswith(".py")}
    ships |= {path.name for path in folder.iterdir() if _ships(path)}
    required = [name for name, needed in read.items() if needed]
    entries: list[tuple[str, str | list[str] | dict[str, str], str]] = [
        ("application", target, "what index.py serves, as in serverless.yml")
    ]
    if application.settings:
        entries.append(("settings", application.settings, ""))
    entries.append(("include", sorted(ships), "what ships of the project"))
    if "requirements-function.txt" in written:
        entries.append(("requirements", "requirements-function.txt", ""))
    if target.startswith(f"{STATIC}:") and "ManifestStaticFilesStorage" not in _source(folder):
        entries.append(("static", "", f"nothing is collected: {STATIC}.py serves the files of the apps"))
    if required:
        entries.append(("required", required, "variables without which nothing is deployed"))
        entries.append(("variables", {name: _stand_in(name) for name in required}, "for packaging and its --verify"))
    paths = get_paths(modules(folder))
    health = next(filter(HEALTH.fullmatch, paths), "")
    if health:
        entries.append(("health", health, "must give 200 before traffic moves"))
    lines = ["[tool.faaskit]", "# docs/faaskit.md of faaskit explains every entry."]
    for name, value, comment in entries:
        lines.append(f"{name} = {_toml(value)}{'  # ' + comment if comment else ''}")
    requests = ", ".join(f"{{path = {json.dumps(path)}}}" for path in paths[:MOST_PATHS] or ["/"])
    lines.append(f"smoke = [{requests}]  # requests of 'faaskit package --verify'; each must give a status below 500")
    return "\n".join(lines) + "\n"


def _toml(value: str | list[str] | dict[str, str]) -> str:
    """Return a value as TOML, which for strings and lists of them is JSON."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(item)}" for name, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def _stand_in(name: str) -> str:
    """Return a value for a variable that the code cannot do without, of the kind that its name tells."""
    if name.endswith("DATABASE_URL"):
        return "sqlite:///{tmp}/db.sqlite3"
    return "1" if name.endswith(("PORT", "DEBUG", "TIMEOUT")) else "for-packaging-only"


def _ships(path: Path) -> bool:
    if path.name.startswith((".", "requirements", "test_")) or path.name in NOT_SHIPPED or path.suffix == ".md":
        return False
    if path.is_dir():
        return not (path / "pyvenv.cfg").exists() and path.name != "__pycache__" and not path.name.endswith("-info")
    return path.suffix == ".py" or path.suffix in (".json", ".toml", ".yml", ".yaml", ".html", ".txt", ".ini", ".cfg")
