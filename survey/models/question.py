"""The questions that head office edits, and what guests gave to those of its own."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from survey.models.submission import Submission

KEY_MAX_LENGTH = 32
LABEL_MAX_LENGTH = 40


class Question(models.Model):
    """An aspect or a problem that the survey asks about, once head office has changed any; see survey/chain.py.

    The aspects and problems of survey/scales.py have rows too, under their names there. What guests give to those is in
    the columns of Submission, and to all others in QuestionValue.
    """

    class Kind(models.TextChoices):
        """How a question is asked."""

        ASPECT = "aspect", _("Aspect")  # rated from 1 to 5
        PROBLEM = "problem", _("Problem")  # ticked, with a low score

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    key = models.CharField(_("key"), max_length=KEY_MAX_LENGTH)  # in forms and JSON; never changes
    label = models.CharField(_("label"), max_length=LABEL_MAX_LENGTH)
    label_en = models.CharField(_("English label"), max_length=LABEL_MAX_LENGTH, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    # No longer asked. Questions are never deleted, since submissions and figures refer to them.
    is_retired = models.BooleanField(_("retired"), default=False)

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ("kind", "position", "id")
        constraints = (models.UniqueConstraint(fields=("kind", "key"), name="one_question_per_key"),)

    def __str__(self) -> str:
        return self.label


class QuestionValue(models.Model):
    """What a guest gave to a question of head office's own: a score from 1 to 5 of an aspect, 1 for a ticked problem.

    No personal data: it stays when the submission is erased, as the columns of the aspects do.
    """

    pk = models.CompositePrimaryKey("submission", "question")
    submission = models.ForeignKey(
        Submission,
        models.CASCADE,
        db_column="response_id",
        db_index=False,
        related_name="question_values",
        verbose_name=_("submission"),
    )
    question = models.ForeignKey(Question, models.PROTECT, verbose_name=_("question"))
    value = models.PositiveSmallIntegerField(_("value"))

    class Meta:
        verbose_name = _("value of a question")
        verbose_name_plural = _("values of questions")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(value__gte=1, value__lte=5), name="question_value_between_1_and_5"
            ),
        )

    def __str__(self) -> str:
        return f"{self.submission_id} {self.question_id} {self.value}"
