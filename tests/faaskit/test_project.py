"""[tool.faaskit] of pyproject.toml, what is found out without it, and the sentences of the commands that read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from faaskit import project
from faaskit.project import Project, ProjectError, Smoke

ROOT = Path(__file__).resolve().parents[2]
BROKEN = "[tool.faaskit]\nrequired = 'SECRET_KEY'\n"
MANAGE = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.dev')\n"


def write(folder, text):
    file = folder / "pyproject.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_entries_of_the_table_are_read(tmp_path):
    write(
        tmp_path,
        """
        [tool.faaskit]
        application = "shop:create_app()"
        layer-exclude = ["/numpy/doc/*"]
        static = ""
        smoke = [
            { path = "/?a=1" },
            { path = "/form", method = "POST", headers = { accept = "*/*" }, form = { name = "王" }, status = [200] },
            { path = "/json", method = "POST", json = { n = [1] } },
            { manage = "doctor --quick" },
        ]
        """,
    )
    read = project.read(tmp_path)
    form = Smoke("POST", "/form", {"accept": "*/*"}, form={"name": "王"}, status=(200,))
    posted = Smoke("POST", "/json", json={"n": [1]})
    assert read == Project(
        tmp_path,
        application="shop:create_app()",
        layer_exclude=("/numpy/doc/*",),
        static="",
        smoke=(Smoke(path="/?a=1"), form, posted, Smoke(manage="doctor --quick")),
    )
    assert form.content() == ("name=%E7%8E%8B", "application/x-www-form-urlencoded")
    assert posted.content() == ('{"n": [1]}', "application/json")


@pytest.mark.parametrize("text", [None, "", "[tool.other]\nx = 1\n", "[tool.faaskit]\n"])
def test_a_project_without_the_table_has_no_entries(tmp_path, text):
    if text is not None:
        write(tmp_path, text)
    assert project.read(tmp_path) == Project(tmp_path)


def test_a_django_project_is_found_from_its_manage_py_and_the_table_wins(tmp_path):
    (tmp_path / "manage.py").write_text(MANAGE, encoding="utf-8")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "wsgi.py").touch()
    found = Project(
        tmp_path, application="shop.wsgi:application", settings="shop.settings.dev", migrate=("migrate", "--noinput")
    )
    assert project.read(tmp_path) == found
    write(tmp_path, "[tool.faaskit]\nsettings = 'shop.settings.production'\nmigrate = []\n")
    read = project.read(tmp_path)
    assert (read.settings, read.migrate) == ("shop.settings.production", ())
    write(tmp_path, "[tool.faaskit]\nsettings = ''\n")
    assert project.read(tmp_path) == Project(tmp_path)


def test_the_table_of_this_project_is_complete():
    read = project.read(ROOT)
    assert (read.application, read.settings) == ("mydjango.wsgi:application", "mydjango.settings")
    assert all((ROOT / name).exists() for name in read.include)
    assert read.smoke


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[tool.faaskit]\nrequires = []\n", "[tool.faaskit] has no entry requires; it may have application, settings,"),
        ("[tool.faaskit]\nfolder = '/tmp'\n", "[tool.faaskit] has no entry folder; it may have application"),
        ("[tool]\nfaaskit = 1\n", "[tool.faaskit] must be a table."),
        (BROKEN, "required of [tool.faaskit] must be a list of strings."),
        ("[tool.faaskit]\ninherit = ['HOME', 1]\n", "inherit of [tool.faaskit] must be a list of strings."),
        ("[tool.faaskit]\nhealth = ['/']\n", "health of [tool.faaskit] must be a string."),
        ("[tool.faaskit]\nsmoke = ['/']\n", "smoke of [tool.faaskit] must be a list of tables."),
        (
            "[tool.faaskit]\nsmoke = [{ path = '/', status = [true] }]\n",
            "status of entry 1 of smoke of [tool.faaskit] must be a list of whole numbers.",
        ),
        (
            "[tool.faaskit]\nsmoke = [{ url = '/' }]\n",
            "entry 1 of smoke of [tool.faaskit] has no entry url; it may have method,",
        ),
        (
            "[tool.faaskit]\nsmoke = [{ path = '/' }, { method = 'GET' }]\n",
            "entry 2 of smoke of [tool.faaskit] needs either path or manage.",
        ),
        (
            "[tool.faaskit]\nsmoke = [{ path = '/', json = { day = 2026-01-01 } }]\n",
            "json of entry 1 of smoke of [tool.faaskit] holds what JSON cannot: Object of type date is not JSON",
        ),
        (
            "[tool.faaskit]\nsmoke = [{ path = '/', form = { number = 1 } }]\n",
            "form of entry 1 of smoke of [tool.faaskit] must be a table of strings.",
        ),
        ("[tool.faaskit\n", " is not TOML: "),
    ],
)
def test_a_bad_table_is_one_sentence(tmp_path, text, sentence):
    file = write(tmp_path, text)
    with pytest.raises(ProjectError) as error:
        project.read(tmp_path)
    assert str(error.value).startswith(str(file))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_utf8_is_one_sentence(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes("name = '王'".encode("gbk"))
    with pytest.raises(ProjectError, match=r"pyproject\.toml is not TOML: "):
        project.read(tmp_path)


@pytest.mark.parametrize("arguments", [("rungateway", "0"), ("invoke", "--manage", "migrate")])
@pytest.mark.parametrize("own", [True, False], ids=["the-project-itself", "another-folder"])
def test_the_commands_report_a_bad_table_as_one_sentence(tmp_path, settings, arguments, own):
    file = write(tmp_path, BROKEN)
    if own:
        settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError) as error:
        call_command(*arguments, *([] if own else ["--folder", str(tmp_path)]))
    assert str(error.value) == f"{file}: required of [tool.faaskit] must be a list of strings."
