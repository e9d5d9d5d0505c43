from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0016_final_days"),
    ]

    operations = [
        migrations.AddField(
            model_name="branch",
            name="closed_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
