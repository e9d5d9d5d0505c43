from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0020_branch_thanks"),
    ]

    operations = [
        migrations.AddField("rollupday", "summed_at", models.DateTimeField(editable=False, null=True)),
    ]
