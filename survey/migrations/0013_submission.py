"""Response becomes Submission; tables, columns, constraints and indexes keep their names, so no statement reaches them.

Old code goes on storing and reading while a deployment runs.
"""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

# Old and new model name: the permissions follow, so that groups keep their rights.
RENAMED = (("response", "submission"), ("responseterm", "submissionterm"), ("chore", "jobrun"))


def rename_permissions(apps: Any, schema_editor: Any) -> None:
    """Give each permission of a renamed model its new codename and name."""
    _rename(apps, RENAMED)


def restore_permissions(apps: Any, schema_editor: Any) -> None:
    """The reverse."""
    _rename(apps, [(new, old) for old, new in RENAMED])


def _rename(apps: Any, pairs: Any) -> None:
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="survey")
    for old, new in pairs:
        for action in ("add", "change", "delete", "view"):
            permissions.filter(codename=f"{action}_{old}").update(
                codename=f"{action}_{new}", name=f"Can {action} {VERBOSE.get(new, new)}"
            )


VERBOSE = {"submissionterm": "term", "responseterm": "term", "jobrun": "job run"}


def _foreign_key(on_delete: Any, **options: Any) -> Any:
    return models.ForeignKey(
        db_column="response_id", on_delete=on_delete, to="survey.submission", verbose_name="submission", **options
    )


CASCADE, PROTECT = django.db.models.deletion.CASCADE, django.db.models.deletion.PROTECT
FOREIGN_KEYS = {
    "followupnote": _foreign_key(CASCADE, related_name="notes"),
    "erasurerequest": _foreign_key(CASCADE, null=True, related_name="erasure_requests"),
    "erasurelog": _foreign_key(PROTECT, related_name="erasure_log"),
    "submissionterm": _foreign_key(CASCADE, related_name="terms"),
    "outgoingmail": _foreign_key(CASCADE, blank=True, null=True, related_name="mails"),
}
TERM_INDEXES = (
    models.Index(fields=("term", "local_date", "submission"), name="term_newest"),
    models.Index(fields=("term", "branch", "local_date", "submission"), name="term_branch_newest"),
    models.Index(fields=("submission", "weight"), name="response_keywords"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("survey", "0012_mail_addresses"),
    ]

    operations = [
        migrations.AlterModelTable("response", "survey_response"),
        migrations.AlterModelTable("responseterm", "survey_responseterm"),
        migrations.AlterModelTable("chore", "survey_chore"),
        # At the top level, where Django looks for models whose content types it renames.
        *(
            migrations.RenameModel(old, new)
            for old, new in (("Response", "Submission"), ("ResponseTerm", "SubmissionTerm"), ("Chore", "JobRun"))
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("submissionterm", "one_row_per_term"),
                *(migrations.RemoveIndex("submissionterm", index.name) for index in TERM_INDEXES),
                *(migrations.RenameField(model, "response", "submission") for model in FOREIGN_KEYS),
                *(migrations.AlterField(model, "submission", field) for model, field in FOREIGN_KEYS.items()),
                migrations.RenameField("dailyrollup", "responses", "submissions"),
                migrations.AlterField(
                    "dailyrollup",
                    "submissions",
                    models.PositiveIntegerField(db_column="responses", verbose_name="submissions"),
                ),
                migrations.AddConstraint(
                    "submissionterm",
                    models.UniqueConstraint(fields=("submission", "term"), name="one_row_per_term"),
                ),
                *(migrations.AddIndex("submissionterm", index) for index in TERM_INDEXES),
                migrations.AlterModelOptions(
                    "submission",
                    {
                        "ordering": ("-id",),
                        "permissions": (
                            ("erase_submission", "Erases submissions and decides on guests' requests for it"),
                        ),
                        "verbose_name": "submission",
                        "verbose_name_plural": "submissions",
                    },
                ),
                migrations.AlterModelOptions("jobrun", {"verbose_name": "job run", "verbose_name_plural": "job runs"}),
            ],
        ),
        migrations.RunPython(rename_permissions, restore_permissions),
    ]
