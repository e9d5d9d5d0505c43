"""`python -m tests.support.mutants`: change the code in one place, see whether a test notices, and again elsewhere.

Cosmic Ray (https://cosmic-ray.readthedocs.io) makes the changes: another operator, constant or condition, or no call. A
seed chooses the places. The changes are made in clones of the last commit, and the working tree stays as it is. Prints
those that no test notices: each shows a missing test, or makes no difference to anybody.
"""

from __future__ import annotations

import argparse
import ast
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_and_test, mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkResult
from parso.python.tree import Keyword

ROOT = Path(__file__).parents[2]
# Each module with the tests that must notice a change in it, those first that notice most.
MODULES = {
    "index.py": "shapes responses wsgi links conformance applications faults properties events real_project",
    "survey/chain.py": "chain questions edit_questions",
    "survey/guest/asked_page.py": "blank_page",
    "survey/guest/services.py": "submit idempotency rate_limit rollup erasure terms",
    "survey/guest/fields.py": "submit guest_pages questions addresses openapi erasure blank_page",
    "survey/guest/forms.py": "submit guest_pages questions addresses openapi erasure blank_page",
    "survey/guest/erasure.py": "erasure",
    "survey/idempotency.py": "idempotency retention",
    "survey/limits.py": "rate_limit accounts erasure retention",
    "survey/mail/outbox.py": "outbox account_mails erasure",
    "survey/mail/delivery.py": "outbox robots account_mails",
    "survey/robots/delivery.py": "robots",
    "survey/robots/webhook.py": "robots",
    "survey/jobs/retention.py": "retention erasure account_mails",
    "survey/jobs/rollup.py": "rollup",
    "survey/jobs/question_rollup.py": "question_figures",
    "survey/jobs/months.py": "months sums",
    "survey/staff/access.py": "dashboard permissions erasure",
    "survey/staff/accounts.py": "accounts permissions account_mails",
    "survey/staff/figures.py": "figures sums rollup dashboard overview",
    "survey/staff/sums.py": "sums figures rollup",
    "survey/staff/trend.py": "sums overview",
    "survey/staff/question_figures.py": "question_figures",
    "survey/staff/questions.py": "edit_questions",
    "survey/staff/metrics.py": "metrics",
}
SLOWEST = 300  # seconds for the tests of one change, which may be an endless loop


class DropCall(Operator):
    """Replace a statement that is a call by `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        is_statement = node.parent is not None and node.parent.type == "simple_stmt"
        if is_statement and node.type == "atom_expr" and node.children[-1].children[0] == "(":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return Keyword("pass", node.start_pos, node.get_first_leaf().prefix)

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


plugins.OPERATOR_PROVIDERS["own"] = {"DropCall": DropCall}


def changes(module: str) -> Iterator[MutationSpec]:
    """Return every change of a module, but for those in annotations, which nothing evaluates."""
    source = (ROOT / module).read_text(encoding="utf-8")
    annotations = [span for node in ast.walk(ast.parse(source)) for span in _annotations(node)]
    tree = get_ast(source)
    for name in plugins.operator_names():
        operator = plugins.get_operator(name)
        if operator.arguments():
            continue
        positions = (place for node in ast_nodes(tree) for place in operator().mutation_positions(node))
        for occurrence, (start, end) in enumerate(positions):
            if not any(first <= start < last for first, last in annotations):
                yield MutationSpec(module, name, occurrence, start, end)


def _annotations(node: ast.AST) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
        if isinstance(part, ast.expr):
            yield (part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0)


def sample(modules: list[str], size: int, seed: int) -> list[MutationSpec]:
    """Return one change at each of `size` places, the same for the same seed."""
    by_place = defaultdict(list)
    for module in modules:
        for change in changes(module):
            by_place[module, change.start_pos, change.end_pos].append(change)
    chance = random.Random(seed)
    places = sorted(by_place)
    chosen = (chance.choice(by_place[place]) for place in chance.sample(places, len(places)))
    found = list(islice(filter(is_python, chosen), size))
    print(f"{len(places)} places in {len(modules)} modules, of which the seed {seed} chooses {len(found)}.", flush=True)
    return found


def is_python(change: MutationSpec) -> bool:
    """Return whether the module still compiles: no test need notice more than that."""
    operator = plugins.get_operator(change.operator_name)()
    try:
        compile(mutate_code((ROOT / change.module_path).read_text("utf-8"), operator, change.occurrence), "", "exec")
    except SyntaxError:
        return False
    return True


def command(python: Path, clone: Path, modules: Iterable[str]) -> str:
    """Return the command that runs the tests of modules in a clone, up to the first that fails."""
    tests = [
        f"tests/{'bridge' if module == 'index.py' else 'survey'}/test_{name}.py"
        for module in modules
        for name in MODULES[module].split()
    ]
    options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    return shlex.join(["env", "-C", str(clone), str(python), "-m", "pytest", *options, *dict.fromkeys(tests)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, default=ROOT / ".venv/bin/python", help="with requirements-dev.txt")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("modules", nargs="*", help=f"default: {' '.join(MODULES)}")
    options = parser.parse_args()
    chosen = sample(options.modules or list(MODULES), options.size, options.seed)
    python = options.python.absolute()
    with tempfile.TemporaryDirectory() as folder:
        clones: SimpleQueue[Path] = SimpleQueue()
        for number in range(options.jobs):
            clone = Path(folder) / str(number)
            subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(clone)], check=True)
            clones.put(clone)

        unchanged = command(python, clone, {str(change.module_path): None for change in chosen})
        subprocess.run(shlex.split(unchanged), check=True)

        def test(change: MutationSpec) -> WorkResult:
            clone, started, module = clones.get(), time.monotonic(), str(change.module_path)
            try:
                there = MutationSpec(
                    clone / module, change.operator_name, change.occurrence, change.start_pos, change.end_pos
                )
                result = mutate_and_test([there], command(python, clone, [module]), SLOWEST)
            finally:
                clones.put(clone)
            where = f"{module}:{change.start_pos[0]} {change.operator_name.partition('/')[2]}"
            print(f"{result.test_outcome!s:24} {time.monotonic() - started:4.0f} s  {where}", flush=True)
            return result

        with ThreadPoolExecutor(options.jobs) as pool:
            results = list(pool.map(test, chosen))
    survivors = [result for result in results if result.test_outcome != TestOutcome.KILLED]
    for result in survivors:
        print(result.diff or result.output)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} changes were noticed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
