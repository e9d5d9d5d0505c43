"""The questions that head office edits: empty until it changes one (survey/chain.py)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0027_table_number_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="Question",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("aspect", "Aspect"), ("problem", "Problem")], max_length=8, verbose_name="kind"
                    ),
                ),
                ("key", models.CharField(max_length=32, verbose_name="key")),
                ("label", models.CharField(max_length=40, verbose_name="label")),
                ("label_en", models.CharField(blank=True, max_length=40, verbose_name="English label")),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                ("is_retired", models.BooleanField(default=False, verbose_name="retired")),
            ],
            options={
                "verbose_name": "question",
                "verbose_name_plural": "questions",
                "ordering": ("kind", "position", "id"),
                "constraints": [models.UniqueConstraint(fields=("kind", "key"), name="one_question_per_key")],
            },
        ),
        migrations.CreateModel(
            name="QuestionValue",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "submission", "question", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("value", models.PositiveSmallIntegerField(verbose_name="value")),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="survey.question", verbose_name="question"
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        db_column="response_id",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="question_values",
                        to="survey.submission",
                        verbose_name="submission",
                    ),
                ),
            ],
            options={
                "verbose_name": "value of a question",
                "verbose_name_plural": "values of questions",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("value__gte", 1), ("value__lte", 5)), name="question_value_between_1_and_5"
                    )
                ],
            },
        ),
    ]
