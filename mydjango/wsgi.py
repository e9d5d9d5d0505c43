"""The WSGI application for runserver, the tests and index.py."""

from __future__ import annotations

import os
from pathlib import Path

from mydjango.cold_start import bytecode_importer, deferred_imports, serial_imports
from mydjango.cold_start.deferred_imports import Deferred
from mydjango.cold_start.deferred_modules import MODULES

bytecode_importer.install()
if os.environ.get("WSGI_MULTITHREAD", "0") not in ("", "0"):  # several requests at once in this process
    serial_imports.install()
# Python reads the configuration of its own build to learn of this folder, in a millisecond.
TIME_ZONES = "/usr/share/zoneinfo"
# What most guests' requests do without: the survey's page stores no submission, and of most submissions nobody is told.
SURVEY_MODULES = {
    "survey.guest.asked_page": Deferred(stand_ins=("with_questions",)),
    "survey.guest.brand": Deferred(stand_ins=("stylesheet",)),
    "survey.guest.openapi": Deferred(stand_ins=("document",)),
    "survey.guest.photos": Deferred(stand_ins=("stored_file", "upload")),
    "survey.guest.privacy": Deferred(stand_ins=("erase", "erased", "notice", "requested")),
    "survey.guest.services": Deferred(),
    "survey.mail.outbox": Deferred(),
    "survey.robots.alerts": Deferred(),
    "survey.text.views": Deferred(stand_ins=("hello", "hello_path", "jieba", "welcome_get", "welcome_post")),
}
deferred_imports.install({**MODULES, **SURVEY_MODULES})
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mydjango.settings")
if Path(TIME_ZONES).is_dir():
    os.environ.setdefault("PYTHONTZPATH", TIME_ZONES)

from mydjango.cold_start.deferred_apps import get_application  # noqa: E402  (after the finders are installed)
from mydjango.http.request import Handler  # noqa: E402

application = get_application(Handler)
