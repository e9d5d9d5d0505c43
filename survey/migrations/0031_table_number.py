from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0020_branch_thanks"),
    ]

    operations = [
        migrations.AddField(
            "submission",
            "table_number",
            models.CharField("table or receipt", max_length=32, null=True, blank=True),
        ),
    ]
