from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0018_chain_rollup"),
    ]

    operations = [
        *(
            migrations.AddIndex("submission", models.Index(fields=[name], name=f"response_{name}"))
            for name in ("name", "phone", "email")
        ),
        migrations.AddIndex("outgoingmail", models.Index(fields=["recipient"], name="outbox_recipient")),
    ]
