"""The WSGI application: what runserver, the tests and index.py call."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mydjango.settings")

from mydjango.cold_start import get_application

application = get_application()
