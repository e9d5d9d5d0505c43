"""Counters and logs: attempts, exports, runs of jobs."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AttemptWindow(models.Model):
    """Number of attempts in the running window of a key; see survey/limits.py."""

    # A keyed hash: neither names nor addresses are stored.
    key = models.CharField(_("key"), max_length=64, primary_key=True)
    attempts = models.PositiveIntegerField(_("attempts"))
    ends_at = models.DateTimeField(_("ends"), db_index=True)

    class Meta:
        db_table = "survey_loginwindow"  # the name from before it counted more than logins
        verbose_name = _("attempt window")
        verbose_name_plural = _("attempt windows")

    def __str__(self) -> str:
        return self.key[:8]


class ExportLog(models.Model):
    """An export: the user, the time and the filters. The words searched for, often a name, are erased by age."""

    BEFORE_WORDS = " q="  # in `filters`, after all others

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("user"))
    created_at = models.DateTimeField(_("exported"), default=timezone.now, editable=False)
    filters = models.CharField(_("filters"), max_length=500, blank=True)
    with_personal_data = models.BooleanField(_("with personal data"), default=False)
    row_count = models.PositiveIntegerField(_("rows"), default=0)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.user} {self.created_at:%Y-%m-%d}"


class JobRun(models.Model):
    """When a job last finished, for `manage.py doctor`."""

    name = models.CharField(_("name"), max_length=32, primary_key=True)
    finished_at = models.DateTimeField(_("finished"))

    class Meta:
        db_table = "survey_chore"
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def record(cls, name: str) -> None:
        """Record that a job has finished now.

        Two statements instead of update_or_create, whose transactions deadlock when several runs finish at once.
        """
        now = timezone.now()
        if not cls.objects.filter(pk=name).update(finished_at=now):
            JobRun.objects.bulk_create([JobRun(name=name, finished_at=now)], ignore_conflicts=True)
