"""The WSGI application: what runserver, the tests and index.py call."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mydjango.settings")

application = get_wsgi_application()
