"""The WSGI application: what runserver, the tests and index.py call."""

from __future__ import annotations

import os

from mydjango.cold_start import bytecode_importer, deferred_imports, deferred_modules

bytecode_importer.install()
deferred_imports.install(deferred_modules.MODULES)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mydjango.settings")

from mydjango.cold_start.deferred_apps import get_application  # noqa: E402  (what it imports is to be deferred)
from mydjango.http.request import Handler  # noqa: E402

application = get_application(Handler)
