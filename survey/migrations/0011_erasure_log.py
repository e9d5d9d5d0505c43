from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# As Django makes them after the last migration, which is too late for this one.
PERMISSIONS = (
    ("response", "erase_submission", "Erases submissions and decides on guests' requests for it"),
    ("erasurelog", "view_erasurelog", "Can view erasure"),
)


def allow_head_office(apps: Any, schema_editor: Any) -> None:
    """Give the group of head office, where there is one, what `accounts.head_office_group` gives a new one."""
    for group in apps.get_model("auth", "Group").objects.filter(name="head office"):
        for model, codename, name in PERMISSIONS:
            content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
                app_label="survey", model=model
            )
            permission, _created = apps.get_model("auth", "Permission").objects.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0010_erasure_request"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # First: it can be run again, should creating the table fail on MySQL, whose DDL is not transactional.
        migrations.RunPython(allow_head_office, migrations.RunPython.noop),
        migrations.CreateModel(
            name="ErasureLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("token", "erased by the guest"),
                            ("request", "erased at the guest's request"),
                            ("staff", "erased by staff"),
                            ("command", "erased by command"),
                            ("declined", "request declined"),
                        ],
                        max_length=10,
                        verbose_name="event",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="when"),
                ),
                (
                    "response",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="erasure_log",
                        to="survey.response",
                        verbose_name="response",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "erasure",
                "verbose_name_plural": "erasures",
                "ordering": ("-id",),
            },
        ),
    ]
