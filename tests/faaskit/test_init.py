"""`faaskit init`: what it finds in a project's source, what it writes, what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from faaskit import cli, function_config, project
from faaskit.init.detect import Application, NotFound, applications, named
from faaskit.init.files import workflow
from faaskit.init.requirements import imported_packages
from faaskit.init.routes import get_paths
from faaskit.init.source import modules
from faaskit.init.variables import environment_variables
from faaskit.project import requirement_files

ROOT = Path(__file__).parents[2]
FLASK = "from flask import Flask\napp = Flask(__name__)\n"


def write(folder: Path, **files: str) -> Path:
    """Write files; `__` in a name is a folder, as in polls__views."""
    for name, content in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def init(folder: Path, *options: str) -> int:
    return cli.main(["init", "--folder", str(folder), *options])


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> str:
    """Run `init`, which must fail and leave the folder as it was; return the sentence."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert init(folder, *options) == 1
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (FLASK, "main:app"),
        ("import flask\nsite: flask.Flask = flask.Flask('x')\n", "main:site"),
        ("import falcon as f\ntry:\n    api = f.App()\nfinally:\n    pass\n", "main:api"),
        ("from pyramid.config import Configurator\nwith_ = Configurator()\napp = with_.make_wsgi_app()\n", "main:app"),
        ("def application(environ, start_response):\n    return []\n", "main:application"),
        (
            "from flask import Flask\ndef create_app(test=None):\n    app = Flask('x')\n    return app\n",
            "main:create_app()",
        ),
        ("import bottle\ndef make():\n    return bottle.Bottle()\n", "main:make()"),
        # A factory that the module calls itself is not a second application; nor is one that another serves.
        ("from flask import Flask\ndef make():\n    return Flask('x')\napp = make()\n", "main:app"),
        (
            "import falcon\ndef create_app(a=1):\n    return falcon.App()\ndef get_app():\n    return create_app(2)\n",
            "main:get_app()",
        ),
        ("from flask import Flask\ndef make(name):\n    return Flask(name)\napp = make('x')\n", "main:app"),
    ],
)
def test_a_wsgi_application_is_found_without_importing_it(tmp_path, source, found):
    write(tmp_path, main=f"raise SystemExit\n{source}")
    assert applications(tmp_path) == [Application(found)]


@pytest.mark.parametrize(
    ("source", "lifespan"),
    [
        ("from fastapi import FastAPI\napp = FastAPI()\n", False),
        ("from starlette.applications import Starlette\napp = Starlette(routes=[], lifespan=start)\n", True),
        ("from fastapi import FastAPI\napp = FastAPI()\n@app.on_event('startup')\ndef start(): ...\n", True),
        ("import falcon.asgi\napp = falcon.asgi.App()\n", False),
        ("async def app(scope, receive, send): ...\n", False),
        (
            "from fastapi import FastAPI as F\napp = F()\nv1 = F()\napp.mount('/v1', v1)\n",
            False,
        ),
    ],
)
def test_an_asgi_application_is_found_with_its_lifespan(tmp_path, source, lifespan):
    write(tmp_path, main=source)
    assert applications(tmp_path) == [Application("main:app", asgi=True, lifespan=lifespan)]


def test_a_factory_of_a_package_that_another_module_calls_is_one_application(tmp_path):
    write(tmp_path, shop__web="from flask import Flask\ndef create_app():\n    return Flask('x')\n", shop____init__="")
    write(tmp_path, wsgi="from shop.web import create_app\napplication = create_app()\n")
    assert applications(tmp_path) == [Application("wsgi:application")]


def test_tests_and_virtual_environments_are_not_searched(tmp_path):
    write(
        tmp_path, tests__conftest=FLASK, tests__app=FLASK, test_main=FLASK, venv__lib__site=FLASK, app=FLASK, broken="("
    )
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    assert applications(tmp_path) == [Application("app:app")]


@pytest.mark.parametrize(
    ("files", "target", "settings"),
    [
        ({"shop__settings": "WSGI_APPLICATION = 'shop.web.application'\n"}, "shop.web:application", "shop.settings"),
        (
            {"config__settings__base": 'WSGI_APPLICATION = "config.wsgi.app"\n', "config__settings__local": ""},
            "config.wsgi:app",
            "config.settings.local",
        ),
        ({"shop__settings": "", "shop__wsgi": ""}, "shop.wsgi:application", "shop.settings"),
        ({"shop__settings": ""}, "django.core.wsgi:get_wsgi_application()", "shop.settings"),
    ],
)
def test_a_django_project_is_found_by_its_manage_py(tmp_path, files, target, settings):
    write(tmp_path, manage=f"os.environ.setdefault('DJANGO_SETTINGS_MODULE', '{settings}')\n", **files)
    assert applications(tmp_path) == [Application(target, settings=settings)]


def test_the_variables_that_the_source_reads_are_found(tmp_path):
    source = (
        "import os\nfrom os import environ\nfrom decouple import config\nimport environ as e\nenv = e.Env()\n"
        "os.environ['A_KEY'], os.environ.get('B_KEY'), os.getenv('C_KEY', '1'), environ['D_KEY']\n"
        "config('E_KEY'), config('F_KEY', default=1), env.bool('G_KEY', False), env('H_KEY')\n"
        "os.environ['SET'] = 'x'\nos.environ['DJANGO_SETTINGS_MODULE']\nos.getenv(name)\n"
    )
    found = environment_variables(modules(write(tmp_path, settings=source)))
    assert [name for name, required in found.items() if required] == ["A_KEY", "D_KEY", "E_KEY", "H_KEY"]
    assert [name for name, required in found.items() if not required] == ["B_KEY", "C_KEY", "F_KEY", "G_KEY"]


def test_what_is_written_can_be_read_and_ships_what_was_written(tmp_path, capsys):
    write(tmp_path, app=FLASK + "import os\nos.environ['API_KEY'], os.environ['DATABASE_URL']\n", tests__test_app="")
    (tmp_path / "templates").mkdir()
    (tmp_path / "README.md").touch()
    assert init(tmp_path) == 0
    described = project.read(tmp_path)
    assert described.application == "app:app"
    assert described.include == ("app.py", "index.py", "templates")
    assert described.required == ("API_KEY", "DATABASE_URL")
    assert described.variables == {"API_KEY": "for-packaging-only", "DATABASE_URL": "sqlite:///{tmp}/db.sqlite3"}
    config = function_config.load(tmp_path / "serverless.yml", {"API_KEY": "x"})
    assert config.environment == {"WSGI_APPLICATION": "app:app", "API_KEY": "x"}
    assert "Found app:app." in capsys.readouterr().out


def test_a_second_run_changes_nothing_and_finds_no_difference(tmp_path, capsys):
    write(tmp_path, app=FLASK)
    init(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    capsys.readouterr()
    assert init(tmp_path) == 0
    assert capsys.readouterr().out.count("is there already\n") == 3
    assert (tmp_path / "requirements.txt").read_text(encoding="utf-8").splitlines()[1:] == ["Flask==3.1.3"]
    assert init(tmp_path, "--diff") == 0
    assert capsys.readouterr().out == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_that_was_changed_is_kept_and_diff_shows_what_this_version_writes(tmp_path, capsys):
    write(tmp_path, app=FLASK)
    init(tmp_path)
    index = tmp_path / "index.py"
    older = index.read_text(encoding="utf-8").replace("MEGABYTE = 1024 * 1024", "MEGABYTE = 1000")
    index.write_text(older, encoding="utf-8")
    capsys.readouterr()
    assert init(tmp_path) == 0
    assert "index.py: is there already and kept" in capsys.readouterr().out
    assert init(tmp_path, "--diff") == 0
    printed = capsys.readouterr().out
    assert "-MEGABYTE = 1000\n+MEGABYTE = 1024 * 1024" in printed
    assert "serverless.yml" not in printed
    assert index.read_text(encoding="utf-8") == older


def test_diff_in_a_new_project_shows_everything_and_writes_nothing(tmp_path, capsys):
    write(tmp_path, app=FLASK)
    assert init(tmp_path, "--diff") == 0
    assert "+[tool.faaskit]" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["app.py"]


def test_the_table_is_added_to_a_pyproject_toml_that_stays_as_it_is(tmp_path):
    write(tmp_path, app=FLASK)
    own = "[project]\nname = 'shop'  # ours\nversion = '1'"
    (tmp_path / "pyproject.toml").write_text(own, encoding="utf-8")
    assert init(tmp_path) == 0
    text = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    assert text.startswith(f"{own}\n\n[tool.faaskit]\n")
    assert project.read(tmp_path).application == "app:app"


def test_several_applications_are_listed_and_one_is_asked_for(tmp_path, capsys):
    write(tmp_path, app=FLASK, admin=FLASK)
    sentence = f"{tmp_path} has 2 applications, admin:app, app:app: choose one with --application.\n"
    assert refused(capsys, tmp_path) == sentence
    assert init(tmp_path, "--application", "admin:app") == 0
    assert init(tmp_path) == 0  # the table has the choice
    assert project.read(tmp_path).application == "admin:app"


@pytest.mark.parametrize(
    ("files", "options", "sentence"),
    [
        ({"settings": "DEBUG = True\n"}, [], "holds no manage.py and no Flask, Falcon, FastAPI or other application"),
        ({"web__manage": "", "web__site__wsgi": FLASK}, [], "manage.py is in web: run the command in that folder."),
        ({"manage": "print(1)\n"}, [], "manage.py names no DJANGO_SETTINGS_MODULE: is it Django's?"),
        ({"app": FLASK, "index": "from flask import Flask\n"}, [], "index.py is a module of the project's: rename it"),
        ({"src__shop__web": FLASK}, [], "src.shop.web:app is below src/"),
        ({"app": FLASK}, ["--application", "app"], "--application app: write module:attribute"),
        ({"app": FLASK}, ["--application", "web:app"], "holds no web.py and no web/__init__.py."),
        ({"app": FLASK}, ["--folder", "/nowhere"], "--folder /nowhere: there is no such folder."),
    ],
)
def test_what_cannot_be_written_for_is_one_sentence_and_nothing_is_written(tmp_path, capsys, files, options, sentence):
    printed = refused(capsys, write(tmp_path, **files), *options)
    assert sentence in printed
    assert printed.count("\n") == 1


def test_a_broken_pyproject_toml_is_one_sentence_and_nothing_is_written(tmp_path, capsys):
    write(tmp_path, app=FLASK)
    (tmp_path / "pyproject.toml").write_text("[project\n", encoding="utf-8")
    assert "pyproject.toml is not TOML" in refused(capsys, tmp_path)


def test_an_application_that_is_named_need_not_be_recognised(tmp_path):
    write(tmp_path, web="application = build()\n")
    assert named(tmp_path, "web:application") == Application("web:application")
    with pytest.raises(NotFound):
        applications(tmp_path)


def test_the_requirements_of_an_asgi_application_get_the_adapter(tmp_path):
    write(tmp_path, main="from fastapi import FastAPI\napp = FastAPI()\n")
    (tmp_path / "requirements.txt").write_text("fastapi\n", encoding="utf-8")
    assert init(tmp_path) == 0
    lines = (tmp_path / "requirements-function.txt").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ["-r requirements.txt", "a2wsgi==1.10.10"]
    assert project.read(tmp_path).requirements == "requirements-function.txt"
    assert (tmp_path / "requirements.txt").read_text(encoding="utf-8") == "fastapi\n"


def test_packages_that_no_file_names_are_those_that_the_project_imports(tmp_path):
    source = "import flask, json\nfrom . import own\nimport own\nINSTALLED_APPS = ['rest_framework.authtoken', 'own']\n"
    write(tmp_path, main=source, own="")
    packages = imported_packages(tmp_path, modules(tmp_path))
    assert [package.partition("==")[0] for package in packages] == ["djangorestframework", "Flask"]
    write(tmp_path, more="import not_installed_here\n")
    assert imported_packages(tmp_path, modules(tmp_path)) == []


@pytest.mark.parametrize("name", ["requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock", "pyproject.toml"])
def test_a_project_that_names_its_packages_gets_no_requirements(tmp_path, name):
    write(tmp_path, app=FLASK)
    assert not requirement_files(tmp_path)
    (tmp_path / name).write_text("[project]\nname = 'shop'\n", encoding="utf-8")
    assert requirement_files(tmp_path)


def test_the_package_is_tried_with_the_pages_that_need_no_parameters(tmp_path):
    source = (
        "from flask import Blueprint, Flask\napp = Flask('x')\nparts = Blueprint('parts', 'x')\n"
        "@app.route('/')\n@app.get('/tea/<kind>')\ndef home(): ...\n"
        "@app.route('/order', methods=['POST'])\ndef order(): ...\n@parts.route('/part')\ndef part(): ...\n"
        "@app.get('/healthz')\nasync def health(): ...\n"
    )
    write(tmp_path, main=source)
    assert get_paths(modules(tmp_path)) == ["/", "/healthz"]
    assert init(tmp_path) == 0
    described = project.read(tmp_path)
    assert [each.path for each in described.smoke] == ["/", "/healthz"]
    assert described.health == "/healthz"


def test_the_admin_of_a_django_project_is_among_them(tmp_path):
    write(tmp_path, urls="urlpatterns = [path('staff/', admin.site.urls), path('', home)]\n")
    assert get_paths(modules(tmp_path)) == ["/staff/login/"]


def test_flasks_instance_folder_is_where_a_function_may_write(tmp_path):
    source = (
        "import os\nfrom flask import Flask\ndef create_app():\n"
        "    app = Flask('main', instance_relative_config=True)\n    os.makedirs(app.instance_path)\n    return app\n"
    )
    write(tmp_path, main=source)
    assert init(tmp_path) == 0
    assert project.read(tmp_path).application == "wsgi_instance:application"
    code = (
        "import os, sys; os.access = lambda path, mode: not sys.argv[1:]\n"
        "from wsgi_instance import application; print(application.instance_path)"
    )
    paths = []
    for read_only in ([], ["read-only"]):
        command = [sys.executable, "-c", code, *read_only]
        environment = {"PATH": "", "TMPDIR": str(tmp_path / "tmp")}
        (tmp_path / "tmp").mkdir(exist_ok=True)
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        paths.append(ended.stdout.strip())
    assert paths == [str(tmp_path / "instance"), str(tmp_path / "tmp" / "instance")]


@pytest.mark.parametrize(("middleware", "written"), [("", True), ("whitenoise.middleware.WhiteNoiseMiddleware", False)])
def test_static_files_get_a_module_only_where_nothing_serves_them(tmp_path, middleware, written):
    settings = f"INSTALLED_APPS = ['django.contrib.staticfiles']\nMIDDLEWARE = ['{middleware}']\n"
    write(tmp_path, manage="'DJANGO_SETTINGS_MODULE', 'shop.settings'", shop__settings=settings, shop__wsgi="")
    assert init(tmp_path) == 0
    assert (tmp_path / "wsgi_static.py").exists() is written
    expected = "wsgi_static:application" if written else "shop.wsgi:application"
    assert project.read(tmp_path).application == expected
    config = function_config.load(tmp_path / "serverless.yml", {})
    assert config.environment["WSGI_APPLICATION"] == expected
    done = subprocess.run([sys.executable, "-m", "compileall", "-q", str(tmp_path)], check=False)
    assert done.returncode == 0


def test_a_workflow_of_github_is_written_only_when_it_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, main=FLASK)
    assert init(tmp_path) == 0
    assert not (tmp_path / ".github").exists()
    assert init(tmp_path, "--github") == 0
    file = tmp_path / ".github" / "workflows" / "deploy.yml"
    assert is_workflow(file)
    assert "pip install -r requirements.txt 'faaskit[local,package,deploy]'" in file.read_text(encoding="utf-8")
    file.write_text("name: of the project\n", encoding="utf-8")
    assert init(tmp_path, "--github") == 0
    assert file.read_text(encoding="utf-8") == "name: of the project\n"


def test_this_projects_workflow_is_the_one_that_init_writes() -> None:
    file = ROOT / "deploy" / "github" / "deploy.yml"
    assert is_workflow(file)
    expected = workflow("pip install -r requirements-dev.txt", "python -m faaskit")
    assert file.read_text(encoding="utf-8") == expected


def test_the_workflow_deploys_dev_from_main_and_prod_from_a_tag_behind_an_environment() -> None:
    text = workflow("pip install .", "faaskit")
    document = yaml.safe_load(text)
    assert document[True] == {"push": {"branches": ["main"], "tags": ["v*"]}}  # YAML reads `on` as true
    stage = "${{ github.ref_type == 'tag' && 'prod' || 'dev' }}"
    deploy = document["jobs"]["deploy"]
    assert (deploy["needs"], deploy["environment"]) == ("package", stage)
    assert document["concurrency"]["cancel-in-progress"] is False
    last = deploy["steps"][-1]
    assert last["env"]["STAGE"] == stage
    # Values reach the shell through variables: an expression inside `run` could be code.
    assert not [step for job in document["jobs"].values() for step in job["steps"] if "${{" in step.get("run", "")]
    assert "faaskit package --verify" in text


def is_workflow(file: Path) -> bool:
    """Return whether check-jsonschema, which 'make lint' runs too, finds nothing."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
