"""Projects that know nothing of faaskit are packaged by what their files tell."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from faaskit import project
from faaskit.package import build, verify
from faaskit.package.build import Package
from faaskit.package.target import PackageError, Target
from tests.support.package_index import make_wheel

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TARGET = Target.parse("3.10", "manylinux2014_x86_64")
APPLICATION = """
import greeting

def create():
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [greeting.text.encode() + environ["PATH_INFO"].encode()]
    return application

application = create()
"""
SETTINGS = """
from shop.settings import *
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
STATIC_ROOT = BASE_DIR / "var" / "assets"
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
MIDDLEWARE.insert(1, "whitenoise.middleware.WhiteNoiseMiddleware")
LOCALE_PATHS = [BASE_DIR / "locale"]
"""
TEXTS = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Hello"\nmsgstr "你好"\n'


def packaged(folder: Path, output: Path) -> Package:
    return build.build(project.read(folder), output, TARGET, print)


def names(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as file:
        return set(file.namelist())


@pytest.fixture
def shop(tmp_path: Path, index: Path) -> Path:
    """A WSGI project without Django and without a table, whose one package is made here."""
    folder = tmp_path / "shop"
    folder.mkdir()
    make_wheel(index, "greeting", files={"greeting.py": b'text = "hello "\n', "bin/greet": b""})
    shutil.copy(ROOT / "index.py", folder)
    (folder / "requirements.txt").write_text("greeting\n")
    (folder / "shop.py").write_text(APPLICATION)
    (folder / "pyproject.toml").write_text('[tool.faaskit]\napplication = "shop:application"\n')
    return folder


def test_a_project_without_a_layer_ships_one_zip_that_runs(shop: Path, tmp_path: Path) -> None:
    first = packaged(shop, tmp_path / "build")
    assert sorted(path.name for path in first.folder.iterdir()) == ["function", "function.zip", "requirements.lock"]
    files = names(first.folder / "function.zip")
    assert {"index.py", "shop.py", "greeting.py", "__pycache__/greeting.cpython-310.pyc"} <= files
    assert not {"bin/greet", ".lock", "staticfiles", "bytecode.archive"} & files
    lines: list[str] = []
    verify.verify(first, TARGET, lines.append)
    assert lines[-2:] == ["           200  GET /", "All 1 requests and events passed."]
    again = packaged(shop, tmp_path / "again")
    assert (first.folder / "function.zip").read_bytes() == (again.folder / "function.zip").read_bytes()


def test_a_package_that_needs_time_zones_must_bring_them(shop: Path, tmp_path: Path) -> None:
    (shop / "shop.py").write_text(f'import zoneinfo\nzoneinfo.ZoneInfo("Asia/Shanghai")\n{APPLICATION}')
    with pytest.raises(PackageError, match="No time zone found with key Asia/Shanghai"):
        verify.verify(packaged(shop, tmp_path / "build"), TARGET, print)


def test_a_build_that_fails_leaves_the_last_one(shop: Path, tmp_path: Path) -> None:
    (shop / "requirements.txt").write_text("missing==1.0\n")
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "function.zip").write_bytes(b"the last one")
    with pytest.raises(PackageError, match="missing was not found"):
        packaged(shop, folder)
    assert [path.name for path in folder.iterdir()] == ["function.zip"]


def test_a_module_with_the_name_of_a_package_is_one_sentence(shop: Path, tmp_path: Path) -> None:
    (shop / "greeting.py").write_text("")
    with pytest.raises(PackageError, match=r"greeting\.py has the name of a file of a package"):
        packaged(shop, tmp_path / "build")


def test_a_project_without_its_handler_is_one_sentence(shop: Path, tmp_path: Path) -> None:
    (shop / "index.py").unlink()
    with pytest.raises(PackageError, match=r"^index\.py is not among the files that ship"):
        packaged(shop, tmp_path / "build")


def test_a_build_command_fills_the_package_and_its_failure_is_one_sentence(shop: Path, tmp_path: Path) -> None:
    table = shop / "pyproject.toml"
    write = 'import os, sys; open(sys.argv[1] + os.environ[\\"NAME\\"], \\"w\\").write(sys.argv[2])'
    table.write_text(
        f'[tool.faaskit]\nvariables = {{ NAME = "/note" }}\n'
        f"build = [\"-c '{write}' {{function}} {{python_version}}{{other}}\"]\n"
    )
    assert (packaged(shop, tmp_path / "build").folder / "function" / "note").read_text() == "3.10{other}"
    table.write_text("[tool.faaskit]\nbuild = [\"-c 'raise SystemExit(3)'\"]\n")
    with pytest.raises(PackageError, match="failed: no message"):
        packaged(shop, tmp_path / "build")


def test_a_django_project_that_knows_nothing_of_faaskit_is_packaged_and_runs(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", str(folder)], check=True)
    (folder / "shop" / "production.py").write_text(SETTINGS)
    texts = folder / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    texts.parent.mkdir(parents=True)
    texts.write_text(TEXTS, encoding="utf-8")
    (folder / "requirements.txt").write_text("Django==5.2.19\nwhitenoise==6.12.0\n")
    shutil.copy(ROOT / "index.py", folder)
    (folder / "pyproject.toml").write_text(
        '[tool.faaskit]\nsettings = "shop.production"\napplication = "shop.wsgi:application"\n'
        'smoke = [{ path = "/admin/login/", status = [200] }, { path = "/nothing", status = [404] }]\n'
    )
    built = packaged(folder, tmp_path / "build")
    files = names(built.folder / "function.zip")
    assert {"shop/wsgi.py", "manage.py", "django/__init__.py", "var/assets/staticfiles.json"} <= files
    assert "locale/zh_Hans/LC_MESSAGES/django.mo" in files
    assert "locale/zh_Hans/LC_MESSAGES/django.po" not in files
    assert "django/contrib/admin/locale/de/LC_MESSAGES/django.mo" in files
    assert {"django/contrib/humanize/apps.py", "tzdata/zoneinfo/UTC"} <= files
    lines: list[str] = []
    verify.verify(built, TARGET, lines.append)
    assert any("GET /static/admin/css/base" in line for line in lines)
    assert not (folder / "var").exists()
