import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0033_photo"),
    ]

    operations = [
        migrations.CreateModel(
            name="Brand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(blank=True, max_length=40, verbose_name="chain")),
                ("name_en", models.CharField(blank=True, max_length=40, verbose_name="English name of the chain")),
                (
                    "color",
                    models.CharField(
                        blank=True,
                        max_length=7,
                        validators=[django.core.validators.RegexValidator("#[0-9a-f]{6}\\Z")],
                        verbose_name="colour",
                    ),
                ),
                ("logo", models.TextField(blank=True, verbose_name="logo")),
            ],
            options={
                "verbose_name": "brand",
                "verbose_name_plural": "brands",
            },
        ),
    ]
