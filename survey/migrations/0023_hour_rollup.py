"""The hours of each day. The job `update_figures` fills them, also of the days that are counted already."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0022_month_rollup"),
    ]

    operations = [
        migrations.CreateModel(
            name="HourRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "scope", "local_date", "hour", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("scope", models.BigIntegerField()),
                ("hour", models.PositiveSmallIntegerField(verbose_name="hour")),
                ("submissions", models.PositiveIntegerField(verbose_name="submissions")),
                ("satisfied", models.PositiveIntegerField()),
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
            ],
            options={
                "verbose_name": "hourly figures",
                "verbose_name_plural": "hourly figures",
                "indexes": [models.Index(fields=["local_date"], name="hours_of_day")],
            },
        ),
        migrations.AddField("rollupday", "hours_counted_at", models.DateTimeField(editable=False, null=True)),
    ]
