from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0024_follow_up_owner"),
    ]

    operations = [
        *(
            migrations.AddField(
                "submission", name, models.DateTimeField(verbose_name, null=True, blank=True, editable=False)
            )
            for name, verbose_name in (("follow_up_due_at", "due"), ("follow_up_closed_at", "solved at"))
        ),
        migrations.AddIndex("submission", models.Index(fields=["follow_up_closed_at"], name="response_closed")),
    ]
