"""Make database.jsonl.xz and expected.json; run by the code of release 0.1.0, in a database that its seed_demo filled.

    SQLITE_PATH=old.sqlite3 python manage.py migrate && SQLITE_PATH=old.sqlite3 python manage.py seed_demo
    SQLITE_PATH=old.sqlite3 python manage.py shell < make.py

The names are those of that release. tests/survey/test_upgrade.py loads the rows and compares the results.
"""

import json
import lzma
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone
from survey.filters import Filters
from survey.retention import erase_for_guest

from survey import accounts, selectors, services, terms
from survey.models import Branch, Chore, FollowUpNote, LoginWindow, OutgoingMail, Response, ResponseTerm

TABLES = (
    "auth_user",
    "auth_group",
    "auth_user_groups",
    "survey_branch",
    "survey_membership",
    "survey_response",
    "survey_followupnote",
    "survey_responseterm",
    "survey_rollupday",
    "survey_dailyrollup",
    "survey_exportlog",
    "survey_outgoingmail",
    "survey_submissioncount",
    "survey_loginwindow",
    "survey_chore",
)
WORDS = ("排队", "服务员", "很好", "咸", "cold", "the food", "不好吃", "等 久")

branch = Branch.objects.get(code="branch1") if Branch.objects.filter(code="branch1") else Branch.objects.first()
Branch.objects.filter(pk=branch.pk).update(manager_email="manager@example.com")
branch.refresh_from_db()
for number in range(20):
    response = Response(
        branch=branch,
        satisfaction=1 + number % 5,
        language="en",
        name="Tom",
        phone=f"138001380{number:02}",
        email=f"guest{number}@example.com",
        comment="The soup was cold. 服务员很好",
    )
    services.response_submit(response, content={"n": number}, key=f"key-{number}", address="198.51.100.7")
accounts.queue_account_mail(
    RequestFactory().get("/"), User.objects.first(), "Choose a password", "survey/mail/password.txt"
)
mails = list(OutgoingMail.objects.order_by("pk"))
OutgoingMail.objects.filter(pk__in=[mail.pk for mail in mails[:5]]).update(
    status="sent", sent_at=timezone.now(), attempts=1
)
OutgoingMail.objects.filter(pk=mails[5].pk).update(
    status="failed", attempts=20, last_error="SMTPRecipientsRefused: 550"
)
LoginWindow.objects.create(key="0" * 64, attempts=3, ends_at=timezone.now())
Chore.note("drain_outbox")

with lzma.open("database.jsonl.xz", "wt", encoding="utf-8", preset=9) as file, connection.cursor() as cursor:
    for table in TABLES:
        cursor.execute(f"SELECT * FROM {table}")
        columns = [column[0] for column in cursor.description]
        file.write(json.dumps([table, columns, cursor.fetchall()], ensure_ascii=False, default=str) + "\n")

last = Response.objects.order_by("-local_date").first().local_date
year = Filters(start=last - timedelta(400), end=last, branch_ids=None)
found = selectors.figures(year)
by_code = {pk: code for pk, code in Branch.objects.values_list("pk", "code")}


def search(words):
    from dataclasses import replace

    filters = replace(year, words=words)
    return sorted(
        terms.search(Response.objects.all(), filters, terms.rarest_first(filters)).values_list("reference", flat=True)
    )


def counts(response):
    return [model.objects.filter(response=response).count() for model in (OutgoingMail, FollowUpNote, ResponseTerm)]


erased = FollowUpNote.objects.order_by("pk").first().response
results = {
    "period": [year.start.isoformat(), year.end.isoformat()],
    "scores": found.now.scores,
    "parts": found.now.parts,
    "aspects": found.now.aspects,
    "branches": {
        str(by_code.get(pk)): tally.scores for pk, (tally, _before) in sorted(found.by_branch.items(), key=str)
    },
    "days": {day.isoformat(): scores for day, scores in sorted(found.by_day.items())},
    "searches": {words: search(words) for words in WORDS},
    "keywords": [[one.term, one.comments] for one in terms.keyword_list(year, (1, 2))],
    "open": selectors.open_low_scores(Response.objects.all()),
    "mails": [
        list(row)
        for row in OutgoingMail.objects.order_by("pk").values_list(
            "kind", "status", "recipient", "subject", "attempts", "message_id"
        )
    ],
    "notes": FollowUpNote.objects.count(),
    "group_permissions": sorted(User.objects.get(username="head@example.com").get_group_permissions()),
    "erased": erased.reference,
    "erased_phone": erased.phone,
    "before_erasure": counts(erased),
}
erase_for_guest(erased.reference, erased.phone)
erased.refresh_from_db()
results["after_erasure"] = counts(erased)
results["left_of_erased"] = [erased.name, erased.phone, erased.email, erased.comment, erased.satisfaction]
with open("expected.json", "w", encoding="utf-8") as file:
    json.dump(results, file, ensure_ascii=False, indent=1)
