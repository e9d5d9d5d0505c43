"""Pytest plugin, loaded before Django's settings: the tests never see the variables of a production environment."""

from __future__ import annotations

import os

for _name in list(os.environ):
    if _name.startswith(("MYSQL_", "EMAIL_")) or _name in ("SECRET_KEY", "DEBUG", "PUBLIC_URL", "SQLITE_PATH"):
        del os.environ[_name]
