"""Put the questions of a chain into the packaged page, whose questions are those of a new installation.

Rendering that page anew would import models, forms and templates, which a cold `GET /` does without. Its first aspect
and its first problem serve as patterns; a test compares the result with the rendered page.
"""

from __future__ import annotations

import re
from html import escape

from survey.chain import ASPECT, CORE_KEYS, PROBLEM, Chain, KeptQuestion

ASPECTS = re.compile(r'(?:<fieldset class="aspect">.*?</fieldset>\n)+', re.DOTALL)
LEGEND = re.compile(r"<legend>.*?</legend>", re.DOTALL)
PROBLEMS = re.compile(r'(?:<span class="chip">.*?</span>)+', re.DOTALL)
LABEL = re.compile(r'<label for="id_problems_0">.*?</label>', re.DOTALL)


def with_questions(page: str, chain: Chain, language: str) -> str | None:
    """Return the page with the questions of the chain; None if it asks none of a kind, where the page has no part."""
    aspects, problems = chain.asked(ASPECT), chain.asked(PROBLEM)
    if not (aspects and problems):
        return None
    page = ASPECTS.sub(lambda found: "".join(_aspect(found[0], question, language) for question in aspects), page)
    return PROBLEMS.sub(
        lambda found: "".join(
            _problem(found[0], number, question, language) for number, question in enumerate(problems)
        ),
        page,
    )


def _aspect(pattern: str, question: KeptQuestion, language: str) -> str:
    old, new = CORE_KEYS[ASPECT][0], question.field
    first = pattern[: pattern.index("</fieldset>\n") + len("</fieldset>\n")]
    first = first.replace(f'name="{old}"', f'name="{new}"').replace(f"id_{old}_", f"id_{new}_")
    legend = f"<legend>{escape(question.label_in(language))}</legend>"
    return LEGEND.sub(lambda _found: legend, first)


def _problem(pattern: str, number: int, question: KeptQuestion, language: str) -> str:
    first = pattern[: pattern.index("</span>") + len("</span>")]
    first = first.replace(f'value="{CORE_KEYS[PROBLEM][0]}"', f'value="{question.key}"')
    label = f'<label for="id_problems_0">{escape(question.label_in(language))}</label>'
    return LABEL.sub(lambda _found: label, first).replace("id_problems_0", f"id_problems_{number}")
