"""`faaskit check`: each obstacle to a deployment is one sentence with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from faaskit import check, cli

CONFIG = """
inputs:
  environment:
    variables:
      WSGI_APPLICATION: %s
      PUBLIC_URL: ${env:PUBLIC_URL}
      DEBUG: ${env:DEBUG}
  events:
    - http: {parameters: {authType: NONE}}
"""
SETTINGS = """
import os
DEBUG = os.environ.get("DEBUG") == "1"
SECRET_KEY = "not django's"
ALLOWED_HOSTS = [".tencentscf.com"]
INSTALLED_APPS = ["django.contrib.staticfiles"]
MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"]
STATIC_URL = "/static/"
STATICFILES_DIRS = [os.path.join(os.path.dirname(__file__), "assets")]
DATABASES = {"default": {"ENGINE": "django.db.backends.mysql", "NAME": "shop", "HOST": "db.example.com"}}
"""
FLASK = "from flask import Flask\napp = Flask(__name__)\n"
FASTAPI = "from fastapi import FastAPI\napp = FastAPI(lifespan=start)\n"


def make(folder: Path, files: dict[str, str]) -> Path:
    """Write a project that `init` has been run for."""
    (folder / "index.py").write_bytes((Path(check.__file__).parents[1] / "index.py").read_bytes())
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def django(folder: Path, settings: str = "", **files: str) -> Path:
    manage = {"manage.py": "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"}
    module = {
        "shop/settings.py": SETTINGS + settings,
        "shop/wsgi.py": "",
        "shop/assets/a.css": "",
        "shop/__init__.py": "",
    }
    config = {"serverless.yml": CONFIG % "shop.wsgi:application", "requirements.txt": "django\n"}
    return make(folder, manage | module | config | files)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("DEBUG", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)


def test_a_project_that_is_ready_has_no_findings(tmp_path, capsys):
    django(tmp_path)
    assert cli.main(["check", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "Nothing stands in the way of a deployment.\n"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("SECRET_KEY = 'django-insecure-x'", "SECRET_KEY stands in the source: read it from a variable"),
        (
            "ALLOWED_HOSTS = ['shop.example.com']",
            "ALLOWED_HOSTS refuses 1250000000-abcdefghij.ap-guangzhou.tencentscf.com",
        ),
        ("MIDDLEWARE = []", "Nothing serves /static/: use whitenoise, or the wsgi_static.py"),
        ("MEDIA_ROOT = '/app/media'", "Uploads go to /app/media: the platform's folder is read-only"),
        (
            "LOGGING = {'version': 1, 'handlers': {'f': {'class': 'logging.FileHandler', 'filename': '/tmp/x.log'}}}",
            "LOGGING writes /tmp/x.log, which nobody sees on the platform: log to the console",
        ),
        (
            "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE / 'db.sqlite3'}}",
            "db.sqlite3 is an SQLite file: the platform's folder is read-only and each instance's own",
        ),
        (
            "os.environ['MISSING']",
            "shop.settings cannot be imported with the variables of serverless.yml: KeyError: 'MISSING'",
        ),
    ],
)
def test_a_setting_that_fails_in_production_is_one_finding(tmp_path, settings, sentence):
    django(tmp_path, f"from pathlib import Path\nBASE = Path(__file__).parents[1]\n{settings}\n")
    found = list(check.findings(tmp_path))
    assert len(found) == 1
    assert sentence in found[0]
    assert "\n" not in found[0]


def test_debug_is_a_finding_with_the_value_of_the_env_file_that_a_deployment_takes(tmp_path):
    django(tmp_path, **{".env": "DEBUG=1\n"})
    assert [sentence.partition(":")[0] for sentence in check.findings(tmp_path)] == ["DEBUG is on"]


def test_the_host_of_the_public_url_must_be_allowed(tmp_path):
    django(tmp_path, **{".env": "PUBLIC_URL=https://shop.example.com\n"})
    [found] = check.findings(tmp_path)
    assert found.startswith("ALLOWED_HOSTS refuses shop.example.com, ")


def test_images_behind_a_function_url_are_named(tmp_path):
    django(tmp_path, **{"shop/assets/logo.png": "", "shop/assets/icon.svg": ""})
    assert list(check.findings(tmp_path)) == [
        "Static files that are not text (logo.png) get a 502 behind a Function URL: serve them from object storage."
    ]


def test_a_missing_public_url_is_a_finding_that_names_hosts_and_forms(tmp_path):
    django(tmp_path)
    config = tmp_path / "serverless.yml"
    config.write_text(config.read_text(encoding="utf-8").replace("      PUBLIC_URL: ${env:PUBLIC_URL}\n", ""))
    [found] = check.findings(tmp_path)
    assert "(ALLOWED_HOSTS) and forms (CSRF_TRUSTED_ORIGINS)" in found


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"app.py": FLASK, "requirements.txt": ""}, None),
        ({"app.py": FLASK}, "There is no requirements.txt"),
        ({"app.py": FLASK, "requirements.txt": "", "var/shop.sqlite": ""}, "var/shop.sqlite is an SQLite file"),
        (
            {"app.py": FLASK, "requirements.txt": "", "static/cat.jpg": ""},
            "Static files that are not text (cat.jpg) get a 502",
        ),
        (
            {"app.py": FASTAPI, "requirements.txt": "a2wsgi\n"},
            "app:app has code for a server's start or end (lifespan), which no function runs",
        ),
        (
            {"app.py": FASTAPI.replace("lifespan=start", ""), "requirements.txt": ""},
            "app:app is an ASGI application: add a2wsgi to the requirements",
        ),
        (
            {"app.py": FLASK, "requirements.txt": "", "pyproject.toml": "[tool.faaskit]\nrequired = ['API_KEY']\n"},
            "Not set, though the code needs it: API_KEY. Put it into .env",
        ),
    ],
)
def test_other_projects_have_findings_of_their_own(tmp_path, files, sentence):
    make(tmp_path, {"serverless.yml": CONFIG % "app:app", **files})
    found = list(check.findings(tmp_path))
    assert len(found) == bool(sentence)
    assert all(sentence in each for each in found)


@pytest.mark.parametrize("verb", ["check", "serve"])
def test_a_forgotten_wsgi_application_is_one_sentence_with_the_line_to_write(tmp_path, capsys, verb):
    make(tmp_path, {"app.py": FLASK, "serverless.yml": "inputs: {name: shop}\n"})
    port = ["0"] if verb == "serve" else []
    assert cli.main([verb, *port, "--folder", str(tmp_path)]) == 1
    printed = "".join(capsys.readouterr())
    assert (
        "WSGI_APPLICATION is not set: write `WSGI_APPLICATION: app:app` under inputs.environment.variables" in printed
    )
    assert printed.count("\n") == 1


def test_a_missing_index_is_one_sentence(tmp_path, capsys):
    (tmp_path / "app.py").write_text(FLASK, encoding="utf-8")
    assert cli.main(["serve", "0", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{tmp_path / 'index.py'} is missing: 'faaskit init' writes it.\n"


def test_a_folder_without_serverless_yml_is_one_sentence(tmp_path, capsys):
    assert cli.main(["check", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{tmp_path / 'serverless.yml'} does not exist: it describes the function.\n"
