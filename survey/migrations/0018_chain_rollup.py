"""The daily figures of the whole chain, of the days that are counted already too."""

import django.db.models.deletion
from django.db import migrations, models

NPS = ("promoters", "passives", "detractors")
ASPECTS = ("taste", "variety", "hygiene", "service", "atmosphere", "value")
MOMENTS = [f"{aspect}_{moment}" for aspect in ASPECTS for moment in ("count", "sum", "squares")]


COLUMNS = ("responses", *NPS, *MOMENTS)
FILL = f"""
INSERT INTO survey_chainrollup (local_date, counted_at, language, satisfaction, {", ".join(COLUMNS)})
SELECT days.local_date, days.counted_at, language, satisfaction, {", ".join(f"SUM({name})" for name in COLUMNS)}
FROM survey_dailyrollup rollups JOIN survey_rollupday days ON days.local_date = rollups.local_date
GROUP BY days.local_date, days.counted_at, language, satisfaction
"""  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0017_branch_closed_at"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChainRollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("submissions", models.PositiveIntegerField(db_column="responses", verbose_name="submissions")),
                *((name, models.PositiveIntegerField(name, default=0)) for name in NPS),
                *((name, models.PositiveIntegerField(default=0)) for name in MOMENTS),
                ("counted_at", models.DateTimeField(verbose_name="counted")),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("satisfaction", models.PositiveSmallIntegerField(verbose_name="satisfaction")),
                (
                    "local_date",
                    models.ForeignKey(
                        db_column="local_date",
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="survey.rollupday",
                        verbose_name="date",
                    ),
                ),
            ],
            options={
                "verbose_name": "daily figures of the chain",
                "verbose_name_plural": "daily figures of the chain",
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
