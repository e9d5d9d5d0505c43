"""Render the survey page for the package; see survey/guest/blank_page.py."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from survey.guest.blank_page import packaged_page
from survey.guest.blank_page_rendering import render


class Command(BaseCommand):
    """Write the survey page in each language, with placeholders for what differs between guests."""

    help = "Render the survey page in each language into the folder BLANK_PAGES; packaging runs this."

    def handle(self, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        Path(settings.BLANK_PAGES).mkdir()
        for (language, _name), is_named, has_branch in product(settings.LANGUAGES, (False, True), (False, True)):
            text = render(language, is_named, has_branch)
            packaged_page(language, is_named, has_branch).write_text(text, encoding="utf-8")
