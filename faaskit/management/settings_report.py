"""Print what `faaskit check` and the banner of `faaskit serve` need of Django's settings, as one line of JSON.

Started by its path, as a process of the project's Python with the variables of the function's instances.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.http.request import validate_host


def report(host: str) -> dict[str, Any]:
    """Return the settings that matter on a platform; no secret is among them."""
    hosts = settings.ALLOWED_HOSTS or ([".localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
    handlers = (settings.LOGGING or {}).get("handlers", {}).values()
    has_static = "django.contrib.staticfiles" in settings.INSTALLED_APPS
    return {
        "debug": settings.DEBUG,
        "host_is_allowed": validate_host(host, hosts),
        "key_is_public": settings.SECRET_KEY.startswith("django-insecure-"),
        "databases": [
            {name.lower(): str(database.get(name) or "") for name in ("ENGINE", "NAME", "HOST", "PORT")}
            for database in settings.DATABASES.values()
        ],
        "mail": settings.EMAIL_BACKEND,
        "mail_server": f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
        "middleware": list(settings.MIDDLEWARE),
        "static_url": settings.STATIC_URL if has_static else "",
        "static_files": _static_files() if has_static else [],
        "media_root": str(settings.MEDIA_ROOT or ""),
        "default_storage": settings.STORAGES["default"]["BACKEND"],
        "log_files": [str(handler["filename"]) for handler in handlers if "filename" in handler],
    }


def _static_files() -> list[str]:
    """Return the names of all static files, of the project and of its apps."""
    from django.contrib.staticfiles.finders import get_finders

    return [name for finder in get_finders() for name, _ in finder.list([])]


if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())
    with redirect_stdout(sys.stderr):  # settings may print
        django.setup()
        found = report(sys.argv[1])
    print(json.dumps(found))
