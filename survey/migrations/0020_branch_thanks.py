import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0019_admin_search"),
    ]

    operations = [
        migrations.AddField(
            "branch",
            "thanks_text",
            models.CharField("words under the thanks", max_length=200, blank=True, default="", db_default=""),
        ),
        migrations.AddField(
            "branch",
            "thanks_text_en",
            models.CharField("English words under the thanks", max_length=200, blank=True, default="", db_default=""),
        ),
        migrations.AddField(
            "branch",
            "thanks_url",
            models.CharField(
                "link under the thanks",
                max_length=200,
                blank=True,
                default="",
                db_default="",
                validators=[
                    django.core.validators.URLValidator(
                        ["https"], message="Please check the address; it should look like https://example.com."
                    )
                ],
            ),
        ),
    ]
