from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0031_robots"),
    ]

    operations = [
        migrations.AddField(
            "submission",
            "escalated_at",
            models.DateTimeField("escalated", null=True, blank=True, editable=False),
        ),
    ]
