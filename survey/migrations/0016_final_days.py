from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0015_late_submissions"),
    ]

    operations = [
        migrations.AddField(
            model_name="rollupday",
            name="is_final",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
