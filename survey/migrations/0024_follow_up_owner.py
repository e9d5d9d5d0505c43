from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("survey", "0023_hour_rollup"),
    ]

    operations = [
        migrations.AddField(
            "submission",
            "follow_up_owner",
            models.ForeignKey(
                settings.AUTH_USER_MODEL,
                models.SET_NULL,
                null=True,
                blank=True,
                related_name="+",
                verbose_name="owner",
            ),
        ),
    ]
