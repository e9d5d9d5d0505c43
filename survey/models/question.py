"""The questions that head office edits, what guests gave to those of its own, and the daily counts of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db import models
from django.utils.translation import gettext_lazy as _

from survey import chain
from survey.models.derived import OfDay
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


def own_values(submissions: Collection[int]) -> dict[int, dict[int, int]]:
    """Return the values of own questions, by the ids of submission and question; without such questions no query."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    if chain.current().own:
        rows = QuestionValue.objects.filter(submission__in=submissions)
        for submission, question, value in rows.values_list("submission_id", "question_id", "value"):
            found[submission][question] = value
    return found


class QuestionRollup(OfDay):
    """The values of a day that guests gave to a question of head office's own, counted.

    Of a branch, of the submissions without one, or of the whole chain, by language and satisfaction. The key begins
    with the scope, as that of HourRollup does: a branch's period, or the chain's, is one range of rows.
    """

    pk = models.CompositePrimaryKey("scope", "local_date", "number")
    scope = models.BigIntegerField()  # the key of a branch, or HourRollup.CHAIN or .WITHOUT_BRANCH
    number = models.PositiveIntegerField()  # of the row within its scope and day
    question = models.ForeignKey(
        Question, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("question")
    )
    value = models.PositiveSmallIntegerField(_("value"))
    language = models.CharField(_("language"), max_length=10)
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction"))
    submissions = models.PositiveIntegerField(_("submissions"))

    class Meta:
        verbose_name = _("daily figures of a question")
        verbose_name_plural = _("daily figures of a question")
        indexes = (models.Index(fields=("local_date",), name="questions_of_day"),)  # to count a day again

    def __str__(self) -> str:
        return f"{self.local_date_id} {self.scope} {self.question_id} {self.value}"
