from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0007_account_mails"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="response",
            options={
                "ordering": ("-id",),
                "permissions": (("erase_submission", "Erases submissions and decides on guests' requests for it"),),
                "verbose_name": "response",
                "verbose_name_plural": "responses",
            },
        ),
        migrations.AddField(
            model_name="response",
            name="erase_token_digest",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=64),
        ),
    ]
