from typing import Any

from django.db import migrations, models


def write_again(apps: Any, schema_editor: Any) -> None:
    """The timer writes the terms of every comment anew: they were words, and are characters and pairs now."""
    apps.get_model("survey", "Response").objects.exclude(comment="").update(terms_due=True)


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0004_rollup_by_day"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="responseterm",
            index=models.Index(fields=["response", "weight"], name="response_keywords"),
        ),
        migrations.RunPython(write_again, migrations.RunPython.noop),
    ]
