from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0035_summed_until"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="dailyrollup",
            index=models.Index(
                fields=["language", "satisfaction", "local_date", "branch", "submissions"],
                name="rollup_language_scores",
            ),
        ),
    ]
