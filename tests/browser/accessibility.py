"""axe-core, which finds what breaks WCAG 2.2 AA in a page as it stands in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# From the npm package axe-core, as it came.
AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Any) -> list[str]:
    """What is wrong, one line a rule, with the first elements that break it."""
    page.evaluate(AXE)  # not a script element, which the page's Content-Security-Policy refuses
    result = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    return [
        f"{violation['id']}: {violation['help']} {[node['html'] for node in violation['nodes'][:3]]}"
        for violation in result["violations"]
    ]


def small_targets(page: Any, least: int = 24) -> list[str]:
    """Buttons, links and fields that are narrower or lower than `least` CSS pixels; links within a sentence may be."""
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
