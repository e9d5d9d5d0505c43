from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0013_submission"),
    ]

    operations = [
        migrations.AddField(
            model_name="rollupday",
            name="is_late",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
