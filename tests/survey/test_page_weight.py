"""The bytes that a guest's phone loads, as packaged and uncompressed: a Function URL cannot carry anything else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client

from survey.guest import blank_page
from survey.models import Branch

MOST = 33_000


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/?lang=zh", "/?lang=en", "/s/north"])
def test_the_survey_page_its_stylesheet_and_its_scripts_are_below_33_kb(
    client: Client, settings: LazySettings, tmp_path: Path, path: str
) -> None:
    Branch.objects.create(code="north", name="北店", name_en="North")
    settings.STATIC_ROOT = tmp_path
    storage = "mydjango.http.hashed_files.HashedFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    call_command("collectstatic", verbosity=0, interactive=False)
    blank_page._page_text.cache_clear()
    page = client.get(path).content.decode()
    blank_page._page_text.cache_clear()
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    assert len(files) == 3
    sizes = {path: len(page.encode()), **{name: (tmp_path / name).stat().st_size for name in files}}
    assert min(sizes.values()) > 1_000
    assert sum(sizes.values()) < MOST, sizes
