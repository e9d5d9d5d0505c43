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
    """Store new rows of one model in one statement, without signals. A single row gets its automatic key.

    The columns of which no row has a value are left out, and become NULL.
    """
    given = {name for row in rows for name, value in vars(row).items() if value is not None}
    fields = {field: name for field, name in _columns(type(rows[0])).items() if field.attname in given}
    names = ", ".join(fields.values())
    places = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(rows))
    with connection.cursor() as cursor:
        values = [field.get_db_prep_save(getattr(row, field.attname), cursor.db) for row in rows for field in fields]
        cursor.execute(f"INSERT INTO {rows[0]._meta.db_table} ({names}) VALUES {places}", values)  # noqa: S608
        if len(rows) == 1 and rows[0]._meta.auto_field:
            rows[0].pk = cursor.lastrowid
            rows[0]._state.adding = False


@lru_cache
def _columns(model: type[Model]) -> dict[Field[Any, Any], str]:
    """Return the quoted names of the columns that a row has values of."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    return {field: connection.ops.quote_name(field.column) for field in fields}
