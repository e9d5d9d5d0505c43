from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0025_follow_up_times"),
    ]

    operations = [
        migrations.AddField(
            "submission",
            "table_number",
            models.CharField("table or receipt", max_length=32, null=True, blank=True),
        ),
    ]
