"""Insert the rows of a guest's request with a statement written here.

Model.save and bulk_create build theirs anew each time, which takes more CPU than sending it (benchmarks/warm.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import Model


def insert(rows: Sequence[Model]) -> None:
    """Store new rows of one model in one statement, without signals. A single row gets its automatic key."""
    options = rows[0]._meta
    fields = [field for field in options.concrete_fields if not field.primary_key]
    with connection.cursor() as cursor:
        columns = ", ".join(cursor.db.ops.quote_name(field.column) for field in fields)
        places = ", ".join("%s" for _field in fields)
        values = [field.get_db_prep_save(getattr(row, field.attname), cursor.db) for row in rows for field in fields]
        groups = ", ".join(f"({places})" for _row in rows)
        cursor.execute(f"INSERT INTO {options.db_table} ({columns}) VALUES {groups}", values)  # noqa: S608
        if len(rows) == 1 and options.auto_field:
            rows[0].pk = cursor.lastrowid
            rows[0]._state.adding = False
