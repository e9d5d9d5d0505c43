"""The database backend that settings name: Django's own, with PyMySQL in the place of mysqlclient."""

from __future__ import annotations

import pymysql

pymysql.install_as_MySQLdb()

from django.db.backends.mysql.base import DatabaseWrapper  # noqa: E402  (must see PyMySQL as MySQLdb)

__all__ = ["DatabaseWrapper"]
