"""What `faaskit serve` says at its start, and from where it takes variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.local_servers import ROOT, Server, rungateway

pytestmark = pytest.mark.slow

CONFIG = """
inputs:
  name: shop
  environment:
    variables:
      WSGI_APPLICATION: %s
      DATABASE_HOST: ${env:DATABASE_HOST}
      MAIL_HOST: ${env:MAIL_HOST}
  events:
    - timer: {parameters: {name: nightly, cronExpression: '0 0 3 * * * *', argument: clearsessions, enable: true}}
"""
SETTINGS = """
import os
from pathlib import Path
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "/static/"
STATICFILES_DIRS = [Path(__file__).parent / "assets"]
EMAIL_HOST = os.environ.get("MAIL_HOST", "localhost")
if os.environ.get("DATABASE_HOST"):
    database = {"ENGINE": "django.db.backends.mysql", "NAME": "shop", "HOST": os.environ["DATABASE_HOST"], "PORT": 3306}
else:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(__file__).parents[1] / "shop.sqlite3"}
DATABASES = {"default": database}
"""
FASTAPI = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    yield

app = FastAPI(lifespan=lifespan)
"""


@pytest.fixture
def banner(tmp_path, monkeypatch):
    """Serve a project and return the lines of its banner."""
    for name in ("DATABASE_HOST", "MAIL_HOST"):
        monkeypatch.delenv(name, raising=False)
    servers: list[Server] = []

    def start(*options: str) -> list[str]:
        servers.append(rungateway(*options, folder=tmp_path))
        servers[-1].client()
        assert servers[-1].stop() == 0
        return [line.strip() for line in servers[-1].err]

    (tmp_path / "index.py").write_bytes((ROOT / "index.py").read_bytes())
    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def django(tmp_path: Path) -> Path:
    files = {
        "manage.py": "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n",
        "shop/__init__.py": "",
        "shop/settings.py": SETTINGS,
        "shop/urls.py": "urlpatterns = []\n",
        "shop/wsgi.py": "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
        "shop/assets/logo.png": "",
        "serverless.yml": CONFIG % "shop.wsgi:application" + "",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    config = tmp_path / "serverless.yml"
    variable = "      DJANGO_SETTINGS_MODULE: shop.settings\n"
    config.write_text(config.read_text(encoding="utf-8").replace("      MAIL_HOST", f"{variable}      MAIL_HOST"))
    return tmp_path


def test_the_banner_names_database_mail_server_and_timers(banner, django):
    lines = banner()
    assert f"database: sqlite3 {django / 'shop.sqlite3'}" in lines
    assert "mail: smtp by localhost:25" in lines
    assert "timer nightly: 0 0 3 * * * *, message 'clearsessions'" in lines
    expected = (
        "Static files that are not text (logo.png) get a 502 behind function-url: serve them from object storage."
    )
    assert expected in lines


def test_a_gateway_that_carries_images_has_no_line_about_them(banner, django):
    assert "logo.png" not in "".join(banner("--gateway", "apigw"))


def test_an_sqlite_file_of_the_project_is_named_under_strict(banner, django):
    lines = banner("--strict")
    assert (
        f"--strict: {django / 'shop.sqlite3'} is an SQLite file of the project, so nothing can be written to it"
        in lines
    )


def test_the_values_of_the_env_file_are_taken_only_where_it_is_named(banner, django):
    (django / ".env").write_text("DATABASE_HOST=\nMAIL_HOST=smtp.example.com\n", encoding="utf-8")
    assert "mail: smtp by localhost:25" in banner()
    assert "mail: smtp by smtp.example.com:25" in banner("--env-file", str(django / ".env"))


def test_an_env_file_that_does_not_exist_is_one_sentence(tmp_path, django):
    server = rungateway("--env-file", "other.env", folder=django)
    server.process.wait(30)
    assert server.stop() == 1
    assert server.err == ["--env-file other.env: there is no such file.\n"]


def test_a_project_without_django_has_the_servers_that_its_variables_name(banner, tmp_path, monkeypatch):
    (tmp_path / "main.py").write_text(FASTAPI, encoding="utf-8")
    (tmp_path / "serverless.yml").write_text(CONFIG % "main:app", encoding="utf-8")
    monkeypatch.setenv("DATABASE_HOST", "mysql://shop:secret@db.example.com/shop")
    lines = banner()
    assert "database and mail: DATABASE_HOST is db.example.com" in lines
    assert "secret" not in "".join(lines)
    assert (
        "main:app has code for a server's start or end (lifespan), which no function runs: call it on first use."
        in lines
    )
