"""The figures of whole months. The job adds them up month by month: days are read until it has."""

from django.db import migrations, models
from django.db.models import PROTECT

NPS = ("promoters", "passives", "detractors")
ASPECTS = ("taste", "variety", "hygiene", "service", "atmosphere", "value")
MOMENTS = [f"{aspect}_{moment}" for aspect in ASPECTS for moment in ("count", "sum", "squares")]


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0021_summed_days"),
    ]

    operations = [
        migrations.CreateModel(
            name="MonthRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "month", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("submissions", models.PositiveIntegerField(db_column="responses", verbose_name="submissions")),
                *((name, models.PositiveIntegerField(name, default=0)) for name in NPS),
                *((name, models.PositiveIntegerField(default=0)) for name in MOMENTS),
                ("month", models.DateField(verbose_name="month")),
                ("number", models.PositiveIntegerField()),
                *((f"score_{score}", models.PositiveIntegerField(default=0)) for score in range(1, 6)),
                (
                    "branch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=PROTECT,
                        to="survey.branch",
                        verbose_name="branch",
                    ),
                ),
            ],
            options={
                "verbose_name": "monthly figures of a branch",
                "verbose_name_plural": "monthly figures of a branch",
                "indexes": [models.Index(fields=["branch", "month"], name="rollup_branch_months")],
            },
        ),
    ]
