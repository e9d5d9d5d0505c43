from django.db import migrations


class Migration(migrations.Migration):
    """Change no table: the release before still uses both of them."""

    dependencies = [
        ("survey", "0008_erase_token"),
    ]

    operations = [
        migrations.AlterModelTable(name="loginwindow", table="survey_loginwindow"),
        migrations.RenameModel(old_name="LoginWindow", new_name="AttemptWindow"),
        migrations.AlterModelOptions(
            name="attemptwindow",
            options={"verbose_name": "attempt window", "verbose_name_plural": "attempt windows"},
        ),
        # The table stays; a later release drops it.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="SubmissionCount")]),
    ]
