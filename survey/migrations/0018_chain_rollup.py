"""The daily figures of the whole chain and of each branch, of the days that are counted already too."""

from typing import Any

from django.db import migrations, models
from django.db.models import CASCADE, PROTECT

NPS = ("promoters", "passives", "detractors")
ASPECTS = ("taste", "variety", "hygiene", "service", "atmosphere", "value")
MOMENTS = [f"{aspect}_{moment}" for aspect in ASPECTS for moment in ("count", "sum", "squares")]


COLUMNS = ("responses", *NPS, *MOMENTS)
FILL_CHAIN = f"""
INSERT INTO survey_chainrollup (local_date, counted_at, language, satisfaction, {", ".join(COLUMNS)})
SELECT days.local_date, days.counted_at, language, satisfaction, {", ".join(f"SUM({name})" for name in COLUMNS)}
FROM survey_dailyrollup rollups JOIN survey_rollupday days ON days.local_date = rollups.local_date
GROUP BY days.local_date, days.counted_at, language, satisfaction
"""  # noqa: S608


FILL_BRANCHES = """
INSERT INTO survey_branchrollup (local_date, number, branch_id, submissions, satisfied)
SELECT local_date, ROW_NUMBER() OVER (PARTITION BY local_date ORDER BY branch_id), branch_id, submissions, satisfied
FROM (SELECT local_date, branch_id, SUM(responses) submissions,
      SUM(CASE WHEN satisfaction >= 4 THEN responses ELSE 0 END) satisfied
      FROM survey_dailyrollup GROUP BY local_date, branch_id) branches
"""


def _unconstrained(model: str, name: str, on_delete: Any, **options: Any) -> Any:
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=on_delete,
        to=f"survey.{model}",
        verbose_name=name,
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0017_branch_closed_at"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChainRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "local_date",
                        "language",
                        "satisfaction",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("submissions", models.PositiveIntegerField(db_column="responses", verbose_name="submissions")),
                *((name, models.PositiveIntegerField(name, default=0)) for name in NPS),
                *((name, models.PositiveIntegerField(default=0)) for name in MOMENTS),
                ("counted_at", models.DateTimeField(verbose_name="counted")),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("satisfaction", models.PositiveSmallIntegerField(verbose_name="satisfaction")),
                ("local_date", _unconstrained("rollupday", "date", CASCADE, db_column="local_date")),
            ],
            options={
                "verbose_name": "daily figures of the chain",
                "verbose_name_plural": "daily figures of the chain",
            },
        ),
        migrations.CreateModel(
            name="BranchRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "local_date", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("submissions", models.PositiveIntegerField(verbose_name="submissions")),
                ("satisfied", models.PositiveIntegerField()),
                ("local_date", _unconstrained("rollupday", "date", CASCADE, db_column="local_date")),
                ("branch", _unconstrained("branch", "branch", PROTECT, null=True)),
            ],
            options={
                "verbose_name": "daily figures of a branch",
                "verbose_name_plural": "daily figures of a branch",
            },
        ),
        migrations.RunSQL(FILL_CHAIN, migrations.RunSQL.noop),
        migrations.RunSQL(FILL_BRANCHES, migrations.RunSQL.noop),
    ]
