"""The daily figures of head office's own questions."""

from __future__ import annotations

from collections import Counter, defaultdict

from django.db.models import Count, F

from survey.models import HourRollup, QuestionRollup, QuestionValue, RollupDay

Row = tuple[int, int, str, int]  # question, value, language, satisfaction


def count_questions(counted: RollupDay) -> None:
    """Store the day's values of each own question, of each branch and of the whole chain.

    The rows are at most twice the values that guests gave on that day.
    """
    rows = (
        QuestionValue.objects.filter(submission__local_date=counted.local_date)
        .values_list(
            "question_id",
            "value",
            F("submission__language"),
            F("submission__satisfaction"),
            F("submission__branch_id"),
        )
        .annotate(Count("submission_id"))
        .order_by()
    )
    sums: dict[int, Counter[Row]] = defaultdict(Counter)
    for question, value, language, satisfaction, branch, n in rows:
        for scope in (HourRollup.CHAIN, HourRollup.WITHOUT_BRANCH if branch is None else branch):
            sums[scope][question, value, language, satisfaction] += n
    QuestionRollup.objects.bulk_create(
        QuestionRollup(
            local_date=counted,
            scope=scope,
            number=number,
            question_id=question,
            value=value,
            language=language,
            satisfaction=satisfaction,
            submissions=n,
        )
        for scope, of_scope in sums.items()
        for number, ((question, value, language, satisfaction), n) in enumerate(sorted(of_scope.items()))
    )
