from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0026_table_number"),
    ]

    operations = [
        migrations.AddIndex(
            "submission", models.Index(fields=["table_number", "local_date", "id"], name="response_table")
        ),
    ]
