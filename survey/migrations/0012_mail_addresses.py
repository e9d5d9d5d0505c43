# No statement reaches the database: only the validators change.

import survey.addresses
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0011_erasure_log"),
    ]

    operations = [
        migrations.AlterField(
            model_name="branch",
            name="manager_email",
            field=models.EmailField(
                blank=True,
                max_length=254,
                validators=[survey.addresses.MailAddressValidator()],
                verbose_name="manager's e-mail",
            ),
        ),
        migrations.AlterField(
            model_name="response",
            name="email",
            field=models.EmailField(
                blank=True,
                max_length=254,
                validators=[survey.addresses.MailAddressValidator()],
                verbose_name="e-mail",
            ),
        ),
    ]
