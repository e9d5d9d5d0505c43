import re
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_LINK = re.compile(r"^(https?://\S+?/dashboard/password/)\S+$", re.MULTILINE)


def forget_links(apps: Any, schema_editor: Any) -> None:
    """Remove the links that open an account from the queue.

    A mail that is still to be sent keeps the address of the page that asks for a link, where the drain puts a new one.
    An empty body would be sent as it is by the release before, whose timer runs until the deployment is done.
    """
    mails = apps.get_model("survey", "OutgoingMail").objects.filter(kind="account")
    mails.filter(status="sent").exclude(body="").update(body="")
    for mail in mails.exclude(status="sent").only("pk", "body"):
        mails.filter(pk=mail.pk).update(body=_LINK.sub(r"\g<1>forgotten/", mail.body))
    # A server may have quoted the link in the mail that it refused.
    mails.filter(last_error__startswith="SMTPDataError").update(last_error="SMTPDataError")


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("survey", "0006_newest_first"),
    ]

    operations = [
        # First, since it can run again: MySQL does not roll back a column that was added before a failure.
        migrations.RunPython(forget_links, migrations.RunPython.noop),
        migrations.AddField(
            model_name="outgoingmail",
            name="account",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="account",
            ),
        ),
    ]
