from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0034_brand"),
    ]

    operations = [
        migrations.AddField(
            model_name="rollupday",
            name="summed_until",
            field=models.DateField(editable=False, null=True),
        ),
    ]
