"""Collect the static files of a Django project into FOLDER, where the project looks for them below its own folder.

The packaging runs `python collect_static.py FOLDER NAME` in the project's folder; NAME replaces STATIC_ROOT's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

if __name__ == "__main__":
    project, (folder, name) = Path.cwd(), sys.argv[1:]
    sys.path[0] = str(project)
    sys.argv = ["manage.py", "collectstatic"]  # settings may choose a storage by the command
    root = Path(settings.STATIC_ROOT or "")
    if name or settings.STATIC_ROOT:
        inside = root.is_relative_to(project)
        settings.STATIC_ROOT = str(Path(folder, name or (root.relative_to(project) if inside else root.name)))
        django.setup()
        if apps.is_installed("django.contrib.staticfiles"):
            call_command("collectstatic", interactive=False, verbosity=0)
