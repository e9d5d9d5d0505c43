"""Record the statements of the release before in statements.json.xz: run by its code, in the environment of its tests.

Once for SQLite (SQLITE_PATH) and once for MariaDB (MYSQL_HOST, MYSQL_DATABASE), each time on an empty database:

    pip install time-machine
    export SECRET_KEY=recorded PUBLIC_URL=https://survey.example.com LEXICON_DIR=$(mktemp -d)
    python manage.py migrate && python manage.py shell < record.py

It uses pages, commands and tables, whose names stay, so the next release is recorded with the same script.
tests/survey/test_release_before.py runs the statements on today's tables.
"""

import json
import lzma
import pathlib
from datetime import datetime, timezone

import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test import Client, override_settings

from survey.models import Branch, Membership

# The keys of each table begin at a million of its own, so that no other integer is taken for a key.
KEYED = (
    *("auth_user", "survey_branch", "survey_response", "survey_responseterm", "survey_outgoingmail"),
    *("survey_followupnote", "survey_exportlog", "survey_submissioncount", "survey_membership"),
)
FILE = pathlib.Path("statements.json.xz")
PASSWORD = "correct horse battery"
statements = []


def record(execute, sql, params, many, context):
    """Append a statement, the key of the row that it inserts, and the error that it raises."""
    if sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")):
        return execute(sql, params, many, context)
    entry = {"sql": sql, "params": list(params or ())}
    statements.append(entry)
    try:
        result = execute(sql, params, many, context)
    except DatabaseError as error:
        entry["error"] = type(error).__name__
        raise
    verb, _into, table, *_rest = sql.replace("`", "").replace('"', "").split()
    if verb in ("UPDATE", "DELETE"):
        entry["rows"] = context["cursor"].rowcount
    elif verb == "INSERT" and table in KEYED:
        cursor = connection.connection.cursor()
        cursor.execute(f"SELECT MAX(id) FROM {table}")
        entry["key"] = cursor.fetchone()[0]
    return result


def tables():
    """Return for each table its columns, and the columns of each constraint that can refuse a row."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            constraints = connection.introspection.get_constraints(cursor, table).values()
            found[table] = {
                "columns": [column.name for column in connection.introspection.get_table_description(cursor, table)],
                "constraints": [one["columns"] for one in constraints if one["unique"] or one["check"]],
            }
    return found


def on(day):
    """Let the clock begin at noon in Shanghai on this day of March 2025."""
    return time_machine.travel(datetime(2025, 3, day, 4, tzinfo=timezone.utc))


with connection.cursor() as cursor:
    for number, table in enumerate(KEYED, 71):
        if connection.vendor == "mysql":
            cursor.execute(f"ALTER TABLE {table} AUTO_INCREMENT = {number}000000")
        else:
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number * 1_000_000])

FULL = {
    "branch": "north",
    "satisfaction": "1",
    "problems": ["cold", "waiting"],
    "comment": "The soup was cold. 服务员很好，但是等太久了。",
    "recommend": "3",
    **dict.fromkeys(("taste", "variety", "hygiene", "service", "atmosphere", "value"), "2"),
    "anonymous": "no",
    "name": "王芳",
    "phone": "13800138000",
    "email": "guest@example.com",
    "consent_version": "",
    "submission_id": "key of the full one",
}
GIVEN = {
    "old": {**FULL, "submission_id": "key of the old one", "comment": "太咸了"},
    "minimal": {"anonymous": "yes", "satisfaction": "5", "submission_id": "key of the minimal one"},
    "full": FULL,
    "erased": {**FULL, "submission_id": "key of the erased one", "comment": "不干净"},
}
references = {}


def submit(name):
    page = Client().post("/submitSurvey?lang=en", GIVEN[name])
    assert page.status_code == 302, page.content.decode()
    references[name] = page["Location"].split("?")[0].rpartition("/")[2]


connection.execute_wrappers.append(record)
with on(1):
    # With its key, which the digest of the content holds.
    north = Branch.objects.create(pk=72_000_001, code="north", name="北店", manager_email="north@example.com")
    # With its key, which the session holds.
    head = User.objects.create_superuser("head", "head@example.com", PASSWORD, pk=71_000_001)
    manager = User.objects.create_user("manager", "manager@example.com", PASSWORD)
    Membership.objects.create(user=manager, branch=north)
    submit("old")
with on(10):
    submit("minimal")
    submit("full")
    submit("full")  # a retry
    submit("erased")
with on(12), override_settings(SENDS_MAIL=True, EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
    call_command("update_figures", seconds=600)
    call_command("drain_outbox")
    call_command("erase_responses", older_than=5)
    details = {"reference": references["erased"], "phone": GIVEN["erased"]["phone"]}
    assert Client().post("/erase?lang=en", details).status_code == 302
    staff = Client()
    assert staff.post("/dashboard/login/", {"username": "head", "password": PASSWORD}).status_code == 302
    path = f"/dashboard/responses/{references['full']}/"
    for page in (
        *("/dashboard/?period=all", "/dashboard/comments/?q=cold", "/dashboard/follow-up/", path),
        *("/dashboard/export/", "/dashboard/export.csv", "/dashboard/branches/", "/dashboard/staff/"),
    ):
        assert staff.get(page).status_code == 200, page
    noted = staff.post(path, {"status": "contacted", "shown": "open", "text": "王芳 called back"})
    assert noted.status_code == 302
    branch = {"code": "south", "name": "南店", "name_en": "", "manager_email": "", "is_open": "on"}
    assert staff.post("/dashboard/branches/add/", branch).status_code == 302
    assert staff.post("/dashboard/branches/south/", {**branch, "is_open": ""}).status_code == 302
    account = {"first_name": "Li", "email": "li@example.com", "role": "manager", "branches": [str(north.pk)]}
    assert staff.post("/dashboard/staff/add/", {**account, "is_active": "on"}).status_code == 302
    assert Client().post("/dashboard/password/forgotten/", {"email": "head@example.com"}).status_code == 302
    submitted_by_json = {"satisfaction": 4, "name": "Tom", "phone": "+86 138 0013 8001"}
    assert Client().post("/submitSurvey", submitted_by_json, content_type="application/json").status_code == 201
connection.execute_wrappers.remove(record)

results = json.loads(lzma.decompress(FILE.read_bytes())) if FILE.exists() else {}
results[connection.vendor] = {
    "tables": tables(),
    "given": GIVEN,
    "references": references,
    "session": staff.cookies["sessionid"].value,
    "statements": statements,
}
FILE.write_bytes(lzma.compress(json.dumps(results, ensure_ascii=False).encode(), preset=9))
