"""`faaskit check`: what a deployment of the project still needs, one sentence for each with what to do."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from faaskit import function_config, project
from faaskit.django_settings import SettingsError, read_settings
from faaskit.function_config import FunctionConfig
from faaskit.gateways import platforms
from faaskit.init import detect
from faaskit.init.files import INSTANCE, STATIC, is_bridge
from faaskit.init.source import files

# What gateways for text carry, by the suffix of a static file.
TEXT = (".css", ".csv", ".htm", ".html", ".js", ".json", ".map", ".md", ".mjs", ".rst", ".svg", ".txt", ".xml")
FLASK_KEY = re.compile(r"""(?:secret_key|SECRET_KEY["']?\]?)\s*[=:]\s*["']""")
DEFAULT = re.compile(r'^DEFAULT_APPLICATION = "([^"]+)"', re.MULTILINE)  # in index.py


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `check`."""
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="the project (default: here)")
    parser.add_argument("--stage", default="", help="the stage, with the variables of .env.STAGE")


def run(options: argparse.Namespace) -> int:
    """Print the findings; return 1 if there are any. Raises FaaskitError for a serverless.yml that cannot be read."""
    folder = Path(options.folder).resolve()
    found = list(findings(folder, options.stage))
    for sentence in found:
        print(f"- {sentence}")
    if not found:
        print("Nothing stands in the way of a deployment.")
    return 1 if found else 0


def findings(folder: Path, stage: str = "") -> Iterator[str]:
    """Yield what a deployment needs, with the variables that it would have: those of the shell and of .env."""
    config = function_config.load(folder / "serverless.yml", stage=stage)
    described = project.read(folder)
    missing = missing_application(folder, config, config.environment)
    if missing:
        yield missing
        return
    yield from _variables(config, described)
    yield from _application(folder, config, described)
    names = _static_files(folder)
    if described.settings:
        try:
            report = read_settings(folder, described.settings, sys.executable, _environ(folder, config), _host(config))
        except SettingsError as error:
            yield str(error)
            return
        yield from _django(folder, config, report)
        names = report["static_files"] if _is_path(report["static_url"]) else []
    else:
        yield from _without_django(folder, config)
        for file in files(folder):
            if file.suffix in (".db", ".sqlite", ".sqlite3"):
                yield _read_only(f"{file.relative_to(folder)} is an SQLite file", "another database, from variables")
    if any("http" in event for event in config.inputs.get("events") or []):
        yield from binary_files(names, "a Function URL")


def missing_application(folder: Path, config: FunctionConfig, variables: Mapping[str, str]) -> str:
    """Return the sentence for an index.py that is missing or would not find its application; '' where all is well."""
    if config.handler != "index.main_handler":
        return ""
    file = folder / "index.py"
    if not file.is_file():
        return f"{file} is missing: 'faaskit init' writes it."
    source = file.read_text(encoding="utf-8", errors="replace")
    default = DEFAULT.search(source)
    if variables.get("WSGI_APPLICATION") or not is_bridge(source) or not default:
        return ""
    module = default[1].partition(":")[0].replace(".", "/")
    if (folder / f"{module}.py").is_file():
        return ""
    try:
        found = detect.applications(folder)
    except detect.NotFound:
        found = []
    target = found[0].target if len(found) == 1 else "module:attribute"
    where = "under inputs.environment.variables of serverless.yml"
    return f"WSGI_APPLICATION is not set: write `WSGI_APPLICATION: {target}` {where}."


def lifespan(folder: Path, target: str) -> str:
    """Return the sentence for code at a server's start and end, which a function does not run; '' for none."""
    try:
        application = detect.named(folder, target)
    except detect.NotFound:  # of a package
        return ""
    if not application.lifespan:
        return ""
    return f"{target} has code for a server's start or end (lifespan), which no function runs: call it on first use."


def binary_files(names: list[str], gateway: str) -> Iterator[str]:
    """Yield the sentence for static files that are not text."""
    suffixes = {name: PurePosixPath(name).suffix.lower() for name in names}
    binary = [name for name, suffix in suffixes.items() if suffix and suffix not in TEXT]
    if binary:
        shown = ", ".join(binary[:3]) + (", …" if len(binary) > 3 else "")
        yield f"Static files that are not text ({shown}) get a 502 behind {gateway}: serve them from object storage."


def sqlite_in(folder: Path, report: Mapping[str, Any]) -> list[str]:
    """Return the SQLite files of the project that its settings name."""
    names = [database["name"] for database in report["databases"] if database["engine"].endswith("sqlite3")]
    return [name for name in names if Path(folder, name).is_relative_to(folder)]


def _variables(config: FunctionConfig, described: project.Project) -> Iterator[str]:
    """Yield what is missing among the variables."""
    unset = [name for name in described.required if not config.environment.get(name)]
    if unset:
        yield f"Not set, though the code needs it: {', '.join(unset)}. Put it into .env beside serverless.yml."
    if "PUBLIC_URL" not in config.environment and "PUBLIC_URL" not in config.unset.values():
        yield (
            "serverless.yml hands on no PUBLIC_URL: events of a Function URL name no host, so links are wrong, and "
            "Django refuses requests (ALLOWED_HOSTS) and forms (CSRF_TRUSTED_ORIGINS); add it as ${env:PUBLIC_URL}."
        )


def _application(folder: Path, config: FunctionConfig, described: project.Project) -> Iterator[str]:
    """Yield what the application and its requirements lack."""
    target = config.environment.get("WSGI_APPLICATION", "")
    sentence = lifespan(folder, target) if target else ""
    if sentence:
        yield sentence
    names = [described.requirements] if described.requirements else project.REQUIREMENTS
    paths = project.requirement_files(folder, described.requirements)
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in paths]
    if not texts:
        yield f"There is no {' and no '.join(names)}: 'faaskit package' takes the packages from it."
    elif target and ":" in target:
        asgi = any(each.asgi for each in _found(folder) if each.target == target)
        if asgi and not any("a2wsgi" in text for text in texts):
            yield f"{target} is an ASGI application: add a2wsgi to the requirements, index.py runs it through that."


def _found(folder: Path) -> list[detect.Application]:
    try:
        return detect.applications(folder)
    except detect.NotFound:
        return []


def _django(folder: Path, config: FunctionConfig, report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the settings of a Django project need for production."""
    if report["debug"]:
        yield "DEBUG is on: read it from a variable, for example DEBUG = os.environ.get('DEBUG') == '1'."
    if report["key_is_public"]:
        yield "SECRET_KEY stands in the source: read it from a variable and add `SECRET_KEY: ${env:SECRET_KEY}`."
    if not report["host_is_allowed"]:
        yield f"ALLOWED_HOSTS refuses {_host(config)}, so every request gets a 400: add it, or '.tencentscf.com'."
    for name in sqlite_in(folder, report):
        yield _read_only(f"{name} is an SQLite file", "DATABASES from variables")
    target = config.environment.get("WSGI_APPLICATION", "")
    served = target.startswith(f"{STATIC}:") or any("whitenoise" in name for name in report["middleware"])
    if _is_path(report["static_url"]) and not served and "whitenoise" not in _source_of(folder, target):
        yield f"Nothing serves {report['static_url']}: use whitenoise, or the {STATIC}.py that 'faaskit init' writes."
    if report["media_root"] and report["default_storage"].endswith(".FileSystemStorage"):
        yield _read_only(f"Uploads go to {report['media_root']}", "object storage for STORAGES['default']")
    for name in report["log_files"]:
        yield f"LOGGING writes {name}, which nobody sees on the platform: log to the console, which it keeps."


def _without_django(folder: Path, config: FunctionConfig) -> Iterator[str]:
    """Yield what a project without settings needs for production."""
    if config.environment.get("WSGI_APPLICATION", "").startswith(f"{INSTANCE}:"):
        yield _read_only("Flask's instance folder is in /tmp", "a database, from variables")
    source = "\n".join(
        path.read_text(encoding="utf-8", errors="replace") for path in files(folder) if path.suffix == ".py"
    )
    if FLASK_KEY.search(source):
        yield "SECRET_KEY stands in the source: read it from a variable and add `SECRET_KEY: ${env:SECRET_KEY}`."


def _read_only(what: str, remedy: str) -> str:
    return f"{what}: the platform's folder is read-only and each instance's own; take {remedy}."


def _is_path(url: str) -> bool:
    """Return whether an URL leads to the function itself."""
    return bool(url) and not urlsplit(url).netloc


def _source_of(folder: Path, target: str) -> str:
    """Return the source of an application's module in lower case, '' for a module of a package."""
    file = folder / (target.partition(":")[0].replace(".", "/") + ".py")
    return file.read_text(encoding="utf-8", errors="replace").lower() if file.is_file() else ""


def _host(config: FunctionConfig) -> str:
    """Return the host that requests will name: PUBLIC_URL's, or one such as Function URLs have."""
    host = urlsplit(config.environment.get("PUBLIC_URL", "")).hostname
    return host or f"1250000000-abcdefghij.{config.region}.tencentscf.com"


def _environ(folder: Path, config: FunctionConfig) -> dict[str, str]:
    """Return the variables of a deployed instance, on this machine."""
    inherited = {name: os.environ[name] for name in platforms.INHERITED if name in os.environ}
    platform = platforms.environment(platforms.SCF, config, config.memory, str(folder))
    return inherited | platform | {"PYTHONPATH": str(folder)} | config.environment


def _static_files(folder: Path) -> list[str]:
    """Return the names of the files in folders called static, from there on."""
    paths = [file.relative_to(folder).as_posix() for file in files(folder)]
    return [path.rpartition("static/")[2] for path in paths if "static" in path.split("/")[:-1]]
