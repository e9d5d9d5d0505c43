"""The daily figures of own questions: no counted day has any yet."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0029_digest"),
    ]

    operations = [
        migrations.CreateModel(
            name="QuestionRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "scope", "local_date", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("scope", models.BigIntegerField()),
                ("number", models.PositiveIntegerField()),
                ("value", models.PositiveSmallIntegerField(verbose_name="value")),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("satisfaction", models.PositiveSmallIntegerField(verbose_name="satisfaction")),
                ("submissions", models.PositiveIntegerField(verbose_name="submissions")),
                (
                    "local_date",
                    models.ForeignKey(
                        db_column="local_date",
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="survey.rollupday",
                        verbose_name="date",
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="survey.question",
                        verbose_name="question",
                    ),
                ),
            ],
            options={
                "verbose_name": "daily figures of a question",
                "verbose_name_plural": "daily figures of a question",
                "indexes": [models.Index(fields=["local_date"], name="questions_of_day")],
            },
        ),
    ]
