"""Insert the rows of a guest's request with a statement written here.

Model.save and bulk_create build theirs anew each time, which takes more CPU than sending it (benchmarks/warm.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Field, Model


def insert(rows: Sequence[Model]) -> None:
    """Store new rows of one model in one statement, without signals. A single row gets its automatic key."""
    fields, start, places = _parts(type(rows[0]))
    with connection.cursor() as cursor:
        given = ((field, getattr(row, field.attname)) for row in rows for field in fields)
        values = [None if value is None else field.get_db_prep_save(value, cursor.db) for field, value in given]
        cursor.execute(start + ", ".join([places] * len(rows)), values)
        if len(rows) == 1 and rows[0]._meta.auto_field:
            rows[0].pk = cursor.lastrowid
            rows[0]._state.adding = False


@lru_cache
def _parts(model: type[Model]) -> tuple[list[Field[Any, Any]], str, str]:
    """Return the fields that a row has values of, the statement's start, and the placeholders of a row."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    return fields, f"INSERT INTO {model._meta.db_table} ({names}) VALUES ", f"({', '.join(['%s'] * len(fields))})"  # noqa: S608
