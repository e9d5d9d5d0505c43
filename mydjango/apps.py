"""What the project does once all apps are there. A request that needs no model gets by without this."""

from __future__ import annotations

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "mydjango"

    def ready(self) -> None:
        """Count the statements of every connection."""
        from django.db.backends.signals import connection_created

        from mydjango.operations.metrics import count_queries

        connection_created.connect(count_queries)
