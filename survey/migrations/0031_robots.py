import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("survey", "0030_question_rollup"),
    ]

    operations = [
        migrations.CreateModel(
            name="Robot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=64, verbose_name="name")),
                (
                    "service",
                    models.CharField(
                        choices=[("wecom", "WeCom"), ("dingtalk", "DingTalk"), ("feishu", "Feishu")],
                        max_length=10,
                        verbose_name="service",
                    ),
                ),
                ("webhook", models.CharField(max_length=500, verbose_name="webhook address")),
                ("secret", models.CharField(blank=True, max_length=200, verbose_name="signing secret")),
                ("gets_every_alert", models.BooleanField(default=True, verbose_name="reports every low score at once")),
                ("quiet_from", models.TimeField(blank=True, null=True, verbose_name="quiet from")),
                ("quiet_until", models.TimeField(blank=True, null=True, verbose_name="quiet until")),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "branch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="survey.branch",
                        verbose_name="branch",
                    ),
                ),
            ],
            options={
                "verbose_name": "robot",
                "verbose_name_plural": "robots",
                "ordering": ("branch__code", "id"),
            },
        ),
        migrations.CreateModel(
            name="RobotMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[("queued", "queued"), ("sent", "sent"), ("failed", "failed")],
                        default="queued",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                (
                    "next_attempt_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="next attempt"),
                ),
                ("claimed_until", models.DateTimeField(blank=True, null=True, verbose_name="claimed until")),
                ("last_error", models.TextField(blank=True, verbose_name="last error")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="queued")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                (
                    "kind",
                    models.CharField(
                        choices=[("alert", "alert"), ("escalation", "escalation"), ("test", "test")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "robot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="survey.robot",
                        verbose_name="robot",
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="robot_messages",
                        to="survey.submission",
                        verbose_name="submission",
                    ),
                ),
            ],
            options={
                "verbose_name": "message of a robot",
                "verbose_name_plural": "messages of robots",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["status", "next_attempt_at"], name="robot_due"),
                    models.Index(fields=["robot", "sent_at"], name="robot_sent"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("robot", "submission", "kind"), name="one_robot_message_of_a_kind")
                ],
            },
        ),
    ]
