"""Accessibility checks of an open page: axe-core's rules for WCAG 2.2 AA, and the size of targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# The unchanged file of the npm package axe-core.
AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


# Without the details of what passes, which take most of the time; axe would load stylesheets into a style element,
# which the Content-Security-Policy forbids.
RUN = """rules => axe.run({runOnly: rules, resultTypes: ["violations"], preload: false}).then(
    (result) => result.violations.map(({ id, help, nodes }) => [id, help, nodes.slice(0, 3).map(({ html }) => html)])
)"""


def violations(page: Any) -> list[str]:
    """Return a line for each broken rule, with the first elements that break it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)  # the Content-Security-Policy forbids a script element
        page.context.add_init_script(AXE)  # for the pages to come
    return [f"{rule}: {text} {elements}" for rule, text, elements in page.evaluate(RUN, RULES)]


def small_targets(page: Any, least: int = 24) -> list[str]:
    """Return the targets smaller than `least` CSS pixels, except for links within a sentence."""
    return page.evaluate(
        """least => [...document.querySelectorAll("a, button, input, textarea, select, summary")]
            .filter(element => element.type !== "hidden" && element.getClientRects().length)
            .filter(element => getComputedStyle(element).display !== "inline" || element.tagName !== "A")
            .filter(element => {
              const own = element.getBoundingClientRect();
              const label = element.labels?.length ? element.labels[0].getBoundingClientRect() : own;
              return Math.max(own.width, label.width) < least || Math.max(own.height, label.height) < least;
            })
            .map(element => element.outerHTML)""",
        least,
    )
