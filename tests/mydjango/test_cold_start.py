"""The imports of a fresh instance's first request, and the response to each kind of first request."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls.resolvers import RoutePattern

import survey.guest.urls
import survey.text.urls
from mydjango.http.middleware import is_below
from mydjango.wsgi import TIME_ZONES

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]

# Modules and packages that GET /hello/ must not import, and what they are for.
NEVER_FOR_HELLO = {
    "asyncio.events": "an event loop",
    "cryptography": "MySQL's passwords",
    "django.contrib": "apps",
    "django.core.mail.message": "mail",
    "django.core.management.base": "commands",
    "django.core.serializers.base": "models in JSON",
    "django.db.backends": "a database",
    "django.db.models": "models",
    "django.forms": "forms",
    "django.utils.translation.trans_real": "languages",
    "django.views.debug": "the debug page",
    "django.views.generic": "class-based views",
    "email.parser": "mail",
    "jieba": "text analysis",
    "marisa_trie": "text analysis",
    "faaskit": "the development side",
    "mydjango.mysql.base": "a database",
    "pymysql": "a database",
    "smtplib": "mail",
    "sqlparse": "a database",
    "ssl": "TLS",
    "survey.guest.fields": "the survey",
    "survey.guest.forms": "the survey",
    "survey.models": "the survey",
    "survey.guest.services": "the survey",
    "survey.staff.views": "the survey",
    "werkzeug": "the local gateway",
    "whitenoise": "static files",
}
# What GET / must not import beyond these either, where the package has rendered it.
NEVER_FOR_THE_PAGE = NEVER_FOR_HELLO.keys() - {"django.utils.translation.trans_real"} | {
    "django.middleware.locale",
    "django.template",
    "platform",
    "uuid",
}
# What no guest's first request needs: the largest of what Django, PyMySQL and jieba import for others.
NEVER_FOR_GUESTS = {
    "asgiref.sync": "asynchronous views",
    "asyncio.coroutines": "asynchronous views",
    "bz2": "archives",
    "concurrent.futures": "asynchronous views",
    "django.contrib.admin.options": "the admin",
    "django.contrib.auth.password_validation": "accounts",
    "django.contrib.auth.views": "accounts",
    "django.contrib.messages.storage.fallback": "accounts",
    "django.core.mail.message": "mail",
    "django.middleware.locale": "Django's choice of the language",
    "django.utils.autoreload": "the development server",
    "email.charset": "headers with parameters",
    "email.message": "headers with parameters",
    "gzip": "compression",
    "html.entities": "text that HTML escapes",
    "http.client": "an HTTP client, which robots need",
    "logging.config": "other ways of logging",
    "logging.handlers": "other ways of logging",
    "lzma": "archives",
    "mimetypes": "files",
    "platform": "uuid",
    "selectors": "a server",
    "shutil": "files",
    "survey.guest.brand": "the chain's colours",
    "survey.guest.photos": "photos",
    "survey.guest.privacy": "the privacy notice",
    "survey.palette": "the chain's colours",
    "survey.robots.delivery": "robots",
    "survey.robots.webhook": "robots",
    "survey.staff": "staff",
    "tempfile": "uploads",
    "uuid": "unique identifiers",
    "zipfile": "archives",
}
TOP_LEVEL_PACKAGES = {"asgiref", "django", "index", "mydjango", "survey"}

FIRST = """
import json, sys
at_start = set(sys.modules)  # with what a virtual environment's .pth files import
import index
request = json.loads(sys.argv[1])
headers = {"host": "localhost", "x-forwarded-proto": "https", **request.pop("headers", {})}
event = {"httpMethod": "GET", "queryString": {}, "body": "", **request}
event.update(headers=headers, requestContext={"serviceId": "x"})
result = index.main_handler(event, {})
from mydjango.cold_start import deferred_imports
ran = [name for name in sys.modules if name not in deferred_imports._pending and name not in at_start]
from django.apps import apps
print(json.dumps({"result": result, "modules": ran, "apps": apps.ready}))
"""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an instance, with a migrated database."""
    settings = {"DEBUG": "0", "SECRET_KEY": "x", "ALLOWED_HOSTS": "localhost"}
    database = tmp_path_factory.mktemp("first") / "db.sqlite3"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MYSQL_")}
    variables = {**kept, **settings, "PYTHONPATH": str(PROJECT), "SQLITE_PATH": str(database)}
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, check=True, cwd=PROJECT, env=variables)
    return variables


def first_result(production: dict[str, str], request: dict[str, Any], *options: str) -> dict[str, Any]:
    """Return a fresh process's first result, the modules whose code ran, and whether the registry of apps is ready."""
    command = [sys.executable, *options, "-c", FIRST, json.dumps(request)]
    done = subprocess.run(command, cwd=PROJECT, env=production, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


HELLO = {"path": "/hello/", "queryString": {"name": "Tom"}}


def test_the_first_hello_imports_no_module_of_the_list(production: dict[str, str]) -> None:
    first = first_result(production, HELLO)
    assert first["result"]["body"] == "Hello world ! Tom"
    assert first["apps"] is False
    needless = {name: why for name, why in NEVER_FOR_HELLO.items() if imported(name, first["modules"])}
    assert needless == {}


def test_the_first_hello_imports_only_these_packages(production: dict[str, str]) -> None:
    modules = first_result(production, HELLO)["modules"]
    standard = set(sys.stdlib_module_names) | set(sys.builtin_module_names)
    packages = {name.partition(".")[0] for name in modules} - standard
    # Imported by the start-up of a virtual environment, and the backport that asgiref needs on Python 3.10.
    packages -= {"__main__", "_distutils_hack", "sitecustomize", "typing_extensions", "usercustomize"}
    packages = {name for name in packages if not name.startswith(("__editable__", "_virtualenv", "sphinxcontrib"))}
    assert packages <= TOP_LEVEL_PACKAGES


def imported(name: str, modules: list[str]) -> bool:
    """Whether a module or anything below it is among the modules."""
    return any(module == name or module.startswith(name + ".") for module in modules)


@pytest.mark.parametrize("debug", ["0", "1"])
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (HELLO, 200),
        ({"path": "/hello/"}, 400),
        ({"path": "/hello"}, 301),
        ({"path": "/hello/", "httpMethod": "PUT"}, 405),
        ({"path": "/welcome/nothing-here"}, 404),
        ({"path": "/nothing-here"}, 404),
        ({**HELLO, "headers": {"host": "evil.example.com"}}, 400),
        ({"path": "/jieba/", "queryString": {"text": "你好", "topK": "0"}}, 400),
        ({"path": "/"}, 200),
        (
            {
                "path": "/submitSurvey",
                "httpMethod": "POST",
                "headers": {"content-type": "application/json"},
                "body": "{",
            },
            400,
        ),
        ({"path": "/healthz"}, 200),
        ({"path": "/openapi.json"}, 200),
        ({"path": "/admin"}, 301),
        ({"path": "/admin/login/"}, 302),
        ({"path": "/dashboard/"}, 302),
        ({"path": "/admin/survey/submission/"}, 302),
        ({"path": "/static/survey/survey.css"}, 200),
    ],
)
def test_any_request_may_be_the_first(
    production: dict[str, str], request_: dict[str, Any], status: int, debug: str
) -> None:
    if debug == "1" and "headers" in request_ and "evil" in str(request_):
        status = 200  # with DEBUG on every host is allowed
    first = first_result({**production, "DEBUG": debug}, request_, "-W", "error")
    assert first["result"]["statusCode"] == status


@pytest.fixture(scope="module")
def packaged(production: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an instance whose package has rendered the survey page."""
    folder = tmp_path_factory.mktemp("package")
    code = f"from mydjango.settings import *\nBLANK_PAGES = {str(folder / 'blank_pages')!r}\n"
    (folder / "packaged_settings.py").write_text(code, encoding="utf-8")
    variables = {
        **production,
        "DJANGO_SETTINGS_MODULE": "packaged_settings",
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(folder)]),
    }
    subprocess.run([sys.executable, "manage.py", "render_blank_pages"], check=True, cwd=PROJECT, env=variables)
    return variables


def test_the_first_page_comes_from_the_package_without_models_forms_and_templates(packaged: dict[str, str]) -> None:
    first = first_result(packaged, {"path": "/"})
    assert "<form" in first["result"]["body"]
    assert first["apps"] is False
    assert [name for name in sorted(NEVER_FOR_THE_PAGE) if imported(name, first["modules"])] == []


def test_the_first_page_with_own_questions_does_not_either(packaged: dict[str, str]) -> None:
    columns = "(id, kind, `key`, label, label_en, position, is_retired)"
    with sqlite3.connect(packaged["SQLITE_PATH"]) as database:
        rows = "(1, 'aspect', 'parking', '停车', '', 1, 0), (2, 'problem', 'loud', '太吵', '', 1, 0)"
        database.execute(f"INSERT INTO survey_question {columns} VALUES {rows}")
    try:
        first = first_result(packaged, {"path": "/"})
    finally:
        with sqlite3.connect(packaged["SQLITE_PATH"]) as database:
            database.execute("DELETE FROM survey_question")
    assert 'name="own-parking"' in first["result"]["body"]
    assert 'name="taste"' not in first["result"]["body"]
    assert first["apps"] is False
    assert [name for name in sorted(NEVER_FOR_THE_PAGE) if imported(name, first["modules"])] == []


def test_a_branchs_first_page_comes_from_the_package_without_templates(packaged: dict[str, str]) -> None:
    with sqlite3.connect(packaged["SQLITE_PATH"]) as database:
        columns = "(code, name, name_en, manager_email, is_open)"
        database.execute(f"INSERT INTO survey_branch {columns} VALUES ('sh01', '', '', '', 1)")
    first = first_result(packaged, {"path": "/s/sh01"})
    assert "<form" in first["result"]["body"]
    never = NEVER_FOR_GUESTS.keys() - {"html.entities"} | {
        "django.template.base",
        "survey.guest.services",
        "survey.mail.outbox",
        "survey.term_index",
    }
    assert [name for name in sorted(never) if imported(name, first["modules"])] == []


@pytest.mark.parametrize(("comment", "satisfaction"), [("", 5), ("服务员态度很好，排队太久", 5), ("", 1)])
def test_the_first_submission_imports_no_module_of_the_list(
    production: dict[str, str], comment: str, satisfaction: int
) -> None:
    values = {"name": "Tom", "phone": "1234567890", "satisfaction": satisfaction, "comment": comment}
    request = {
        "path": "/submitSurvey",
        "httpMethod": "POST",
        "headers": {"content-type": "application/json"},
        "body": json.dumps(values),
    }
    first = first_result(production, request)
    assert first["result"]["statusCode"] == 201
    never = NEVER_FOR_GUESTS.keys() | {"django.core.serializers", "django.template.base"}
    if satisfaction == 5:  # nobody is told
        never |= {"dataclasses", "survey.mail.outbox", "survey.robots.alerts"}
    assert [name for name in sorted(never) if imported(name, first["modules"])] == []
    if Path(TIME_ZONES).is_dir():
        assert [name for name in first["modules"] if name.startswith("_sysconfigdata")] == []


def test_a_guests_404_page_imports_no_session(production: dict[str, str]) -> None:
    first = first_result(production, {"path": "/thanks/22222222", "headers": {"accept": "text/html"}})
    assert first["result"]["statusCode"] == 404
    assert "<h1>" in first["result"]["body"]
    for name in ("django.contrib.admin.options", "django.contrib.sessions.middleware", "survey.staff.urls"):
        assert not imported(name, first["modules"])


def test_system_checks_examine_the_admin_classes() -> None:
    from django.contrib import admin
    from django.core import checks

    assert not [message for message in checks.run_checks(tags=["admin"]) if not message.is_silenced()]
    assert admin.site._registry


def test_each_guest_and_text_page_is_in_the_list_of_paths_without_staff_middleware():
    """A page in neither list works, but imports sessions and accounts for a guest."""
    guest = {f"/{route.pattern}" for route in survey.guest.urls.urlpatterns}
    plain = {f"/{route.pattern}" for route in survey.text.urls.urlpatterns if isinstance(route.pattern, RoutePattern)}
    plain |= {"/healthz", *(guest & {"/openapi.json"})}
    for path in guest - plain:
        assert is_below(path, settings.GUEST_PATHS), path
        assert not is_below(path, settings.PLAIN_PATHS), path
    for path in plain:
        assert is_below(path, settings.PLAIN_PATHS), path
