import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0028_questions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DigestSubscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("queued_on", models.DateField(editable=False, null=True, verbose_name="last queued for")),
                (
                    "user",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "digest subscription",
                "verbose_name_plural": "digest subscriptions",
            },
        ),
        # Choices alone: no statement.
        migrations.AlterField(
            "outgoingmail",
            "kind",
            models.CharField(
                choices=[
                    ("receipt", "receipt"),
                    ("alert", "alert"),
                    ("account", "account"),
                    ("digest", "digest"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
    ]
