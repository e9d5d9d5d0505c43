"""Projects that know nothing of faaskit, as their authors or generators make them, go from `init` to a deployment.

Their own files stay as they are: what `faaskit init` wrote is all that is added. Flask's tutorial comes from the sdist
that Flask's authors publish; Django's and Wagtail's projects are made by their generators.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
import requests

from tests.support.local_servers import ROOT, rungateway

pytestmark = pytest.mark.slow

NOTES_MODEL = """
from django.db import models

class Note(models.Model):
    title = models.CharField(max_length=100)
    attachment = models.FileField(upload_to="notes", blank=True)

    def __str__(self):
        return self.title
"""
NOTES_ADMIN = "from django.contrib import admin\nfrom .models import Note\nadmin.site.register(Note)\n"
# The pages "Request Forms and Files", "Cookie Parameters", "Response Cookies" and "Static Files" of FastAPI's tutorial.
FASTAPI = """
from typing import Annotated
from fastapi import Cookie, FastAPI, File, Form, Response, UploadFile
from fastapi.staticfiles import StaticFiles

app = FastAPI()
app.mount("/static", StaticFiles(directory="static"), name="static")

@app.get("/")
def read_root():
    return {"Hello": "World"}

@app.get("/items/{item_id}")
def read_item(item_id: int, q: str | None = None):
    return {"item_id": item_id, "q": q}

@app.post("/login/")
async def login(username: Annotated[str, Form()], password: Annotated[str, Form()], response: Response):
    response.set_cookie(key="username", value=username)
    return {"username": username}

@app.get("/me")
async def read_me(username: Annotated[str | None, Cookie()] = None):
    return {"username": username}

@app.post("/files/")
async def create_file(
    file: Annotated[bytes, File()], fileb: Annotated[UploadFile, File()], token: Annotated[str, Form()]
):
    return {"file_size": len(file), "token": token, "fileb_content_type": fileb.content_type}
"""


def run(folder: Path, *command: str, **variables: str) -> str:
    """Run a Python command in a project's folder, as its owner would; return its output."""
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment = inherited | {"PYTHONPATH": str(ROOT)} | variables
    ended = subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def initialise(folder: Path, written: set[str]) -> None:
    """Run `faaskit init`, which writes these files, and changes none but by the table at the end of pyproject.toml."""
    before = files(folder)
    run(folder, "-m", "faaskit", "init")
    after = files(folder)
    assert after.keys() - before.keys() == written | ({"pyproject.toml"} - before.keys())
    for name, content in before.items():
        assert after[name].startswith(content) if name == "pyproject.toml" else after[name] == content


@contextmanager
def served(folder: Path, gateway: str) -> Iterator[tuple[str, requests.Session, list[str]]]:
    """Serve a project behind a gateway; yield its address, a browser with cookies, and the lines of its banner."""
    server = rungateway("--gateway", gateway, folder=folder)
    try:
        port = server.client().port
        with requests.Session() as browser:
            yield f"http://127.0.0.1:{port}", browser, server.err
    finally:
        server.stop()
    assert "Traceback" not in "".join([*server.out, *server.err])


def submit(browser: requests.Session, url: str, fields: dict[str, str], **options: object) -> requests.Response:
    """Fetch the page of a form and send it back, with its CSRF token where it has one."""
    page = browser.get(url)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    fields = fields | ({"csrfmiddlewaretoken": token[1]} if token else {})
    response = browser.post(page.url, data=fields, **options)
    assert response.status_code == 200, response.text
    return response


def png() -> bytes:
    """Return an image of one pixel."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0\xff\0\0"))]
    packed = [
        struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in [*chunks, (b"IEND", b"")]
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.fixture(scope="module")
def django(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of `django-admin startproject` with an app of `startapp` in the admin."""
    folder = tmp_path_factory.mktemp("django")
    run(folder, "-m", "django", "startproject", "mysite", ".")
    run(folder, "manage.py", "startapp", "notes")
    (folder / "notes" / "models.py").write_text(NOTES_MODEL)
    (folder / "notes" / "admin.py").write_text(NOTES_ADMIN)
    settings = folder / "mysite" / "settings.py"
    text = settings.read_text().replace("INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "notes",')
    settings.write_text(text + '\nMEDIA_ROOT = BASE_DIR / "media"\n')
    run(folder, "manage.py", "makemigrations", "notes")
    initialise(folder, {"index.py", "requirements.txt", "serverless.yml", "wsgi_static.py"})
    run(folder, "manage.py", "migrate")
    owner = ["createsuperuser", "--noinput", "--username", "ann", "--email", "ann@example.com"]
    run(folder, "manage.py", *owner, DJANGO_SUPERUSER_PASSWORD="secret")
    return folder


@pytest.mark.parametrize("gateway", ["function-url", "apigw", "aws-http"])
def test_startproject_with_an_app_in_the_admin_works_behind(django: Path, gateway: str) -> None:
    with served(django, gateway) as (site, browser, _):
        page = submit(browser, f"{site}/admin/", {"username": "ann", "password": "secret"})
        assert (page.url, "sessionid" in browser.cookies) == (f"{site}/admin/", True)
        added = submit(browser, f"{site}/admin/notes/note/add/", {"title": f"茶 {gateway}"})
        assert (added.url, f"茶 {gateway}" in added.text) == (f"{site}/admin/notes/note/", True)
        assert "Please correct" in submit(browser, f"{site}/admin/notes/note/add/", {"title": ""}).text
        style = browser.get(f"{site}/static/admin/css/base.css")
        assert (style.headers["Content-Type"], "--primary" in style.text) == ("text/css", True)
        assert browser.get(f"{site}/nothing").status_code == 404
        if gateway != "function-url":  # which is reported to break the bodies of uploads
            attached = {"attachment": (f"{gateway}.png", png(), "image/png")}
            submit(browser, f"{site}/admin/notes/note/add/", {"title": "image"}, files=attached)
            assert (django / "media" / "notes" / f"{gateway}.png").read_bytes() == png()


@pytest.fixture(scope="module")
def wagtail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wagtail")
    run(folder, "-m", "wagtail.bin.wagtail", "start", "mysite", ".")
    initialise(folder, {"index.py", "serverless.yml", "wsgi_static.py"})
    run(folder, "manage.py", "migrate")
    owner = ["createsuperuser", "--noinput", "--username", "ann", "--email", "ann@example.com"]
    run(folder, "manage.py", *owner, DJANGO_SUPERUSER_PASSWORD="secret")
    return folder


def test_wagtail_works_behind_apigw_with_its_images(wagtail: Path) -> None:
    with served(wagtail, "apigw") as (site, browser, _):
        assert "Welcome to your new Wagtail site!" in browser.get(f"{site}/").text
        submit(browser, f"{site}/admin/", {"username": "ann", "password": "secret"})
        fields = {"title": "Dot", "collection": "1", "tags": "", "description": ""}
        listing = submit(browser, f"{site}/admin/images/add/", fields, files={"file": ("dot.png", png(), "image/png")})
        assert "Dot" in listing.text
        [thumbnail] = set(re.findall(r'src="(/media/images/dot[^"]*)"', listing.text))
        image = browser.get(f"{site}{thumbnail}")
        assert (image.headers["Content-Type"], image.content[:4]) == ("image/png", b"\x89PNG")
        icon = browser.get(f"{site}/static/wagtailadmin/images/favicon.ico")
        assert (icon.status_code, icon.content[:4]) == (200, b"\0\0\1\0")


def test_what_a_function_url_cannot_carry_of_wagtail_is_said(wagtail: Path) -> None:
    with served(wagtail, "function-url") as (site, browser, banner):
        assert "Welcome to your new Wagtail site!" in browser.get(f"{site}/").text
        icon = browser.get(f"{site}/static/wagtailadmin/images/favicon.ico")
        assert icon.status_code == 502
        assert "are not text, and function-url carries nothing else." in icon.text
    said = "get a 502 behind function-url: serve them from object storage."
    assert [line for line in banner if line.startswith("  Static files that are not text") and said in line]


@pytest.fixture(scope="module")
def flaskr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The blog of Flask's tutorial, as Flask's source archive has it."""
    folder = tmp_path_factory.mktemp("flask")
    download = ["download", "--quiet", "--no-deps", "--no-binary", "flask", f"flask=={version('flask')}"]
    run(folder, "-m", "pip", *download)
    [archive] = folder.glob("*.tar.gz")
    name = archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as source:
        members = [member for member in source if member.name.startswith(f"{name}/examples/tutorial/")]
        source.extractall(folder, members, filter="data")
    project = folder / name / "examples" / "tutorial"
    initialise(project, {"index.py", "serverless.yml", "wsgi_instance.py"})
    run(project, "-m", "flask", "--app", "flaskr", "init-db")  # as the tutorial says
    return project


def test_the_blog_of_flasks_tutorial_works(flaskr: Path) -> None:
    with served(flaskr, "fc") as (site, browser, _):
        person = {"username": "ann", "password": "secret"}
        assert submit(browser, f"{site}/auth/register", person).url == f"{site}/auth/login"
        assert "Incorrect password." in submit(browser, f"{site}/auth/login", person | {"password": "wrong"}).text
        assert submit(browser, f"{site}/auth/login", person).url == f"{site}/"
        listing = submit(browser, f"{site}/create", {"title": "茶", "body": "green"})
        assert (listing.url, "茶" in listing.text) == (f"{site}/", True)
        assert browser.get(f"{site}/static/style.css").headers["Content-Type"] == "text/css; charset=utf-8"
        assert browser.get(f"{site}/1/update").status_code == 200
        browser.get(f"{site}/auth/logout")
        assert browser.get(f"{site}/1/update").url == f"{site}/auth/login"


@pytest.fixture(scope="module")
def fastapi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fastapi")
    (folder / "main.py").write_text(FASTAPI)
    (folder / "requirements.txt").write_text(f"fastapi=={version('fastapi')}\npython-multipart\n")
    (folder / "static").mkdir()
    (folder / "static" / "logo.png").write_bytes(png())
    initialise(folder, {"index.py", "serverless.yml", "requirements-function.txt"})
    return folder


def test_an_application_as_fastapis_tutorial_has_it_works(fastapi: Path) -> None:
    with served(fastapi, "aws-lambda-url") as (site, browser, _):
        assert browser.get(f"{site}/").json() == {"Hello": "World"}
        assert browser.get(f"{site}/items/5?q=茶").json() == {"item_id": 5, "q": "茶"}
        assert browser.get(f"{site}/items/five").status_code == 422
        browser.post(f"{site}/login/", data={"username": "ann", "password": "secret"})
        assert browser.get(f"{site}/me").json() == {"username": "ann"}
        files = {"file": ("a.png", png()), "fileb": ("b.png", png(), "image/png")}
        received = browser.post(f"{site}/files/", files=files, data={"token": "茶"}).json()
        assert received == {"file_size": len(png()), "token": "茶", "fileb_content_type": "image/png"}
        assert browser.get(f"{site}/static/logo.png").content == png()
        assert browser.get(f"{site}/openapi.json").json()["paths"].keys() >= {"/items/{item_id}", "/files/"}


@pytest.mark.parametrize("name", ["django", "wagtail", "flaskr", "fastapi"])
def test_the_project_is_packaged_verified_and_ready_to_be_deployed(name: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(name)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    packaged = run(folder, "-m", "faaskit", "package", "--verify", "--python", python)
    assert packaged.rstrip().endswith("requests and events passed.")
    printed = run(folder, "-m", "faaskit", "deploy", "--dry-run")
    calls = [line.partition(" ")[0] for line in printed.splitlines()]
    assert {"CreateFunction", "CreateTrigger", "PublishVersion", "UpdateAlias"} <= set(calls)
    assert "PublishLayerVersion" not in calls
    assert printed.rstrip().endswith("one that exists is updated instead.")
