"""The WSGI application for runserver, the tests and index.py."""

from __future__ import annotations

import os

from mydjango.cold_start import bytecode_importer, deferred_imports, serial_imports
from mydjango.cold_start.deferred_modules import MODULES

bytecode_importer.install()
if os.environ.get("WSGI_MULTITHREAD", "0") not in ("", "0"):  # several requests at once in this process
    serial_imports.install()
# The survey's page is rendered without the code that stores a submission.
deferred_imports.install({**MODULES, "survey.guest.services": deferred_imports.Deferred()})
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mydjango.settings")

from mydjango.cold_start.deferred_apps import get_application  # noqa: E402  (after the finders are installed)
from mydjango.http.request import Handler  # noqa: E402

application = get_application(Handler)
