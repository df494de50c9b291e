"""Prints which tests prove which rules: `make rules`. A rule is a line of docs/rules.md; tests name it by a marker."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
RULE = re.compile(r"^- ([A-Z]{2}-\d\d) (.*)$", re.MULTILINE)
WIDTH = 60


def rules(text: str) -> dict[str, str]:
    """Id → its first words, in the order of the page."""
    return {found[1]: re.sub(r"\((s|d)\) ", "", found[2])[:WIDTH] for found in RULE.finditer(text)}


def proofs(folder: Path) -> Iterator[tuple[str, str]]:
    """(rule id, test) of every marker in the tests; a module's or class's own marker counts for all that is in it."""
    for file in sorted(folder.rglob("test_*.py")):
        where = str(file.relative_to(folder.parent))
        for name, marked in _marked(ast.parse(file.read_text()).body, ()):
            for rule in marked:
                yield rule, f"{where}::{name}"


def _marked(body: list[ast.stmt], above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            above += tuple(_ids(node.value))
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            ids = above + tuple(rule for decorator in node.decorator_list for rule in _ids(decorator))
            if isinstance(node, ast.ClassDef):
                if node.name.startswith("Test"):
                    yield from _marked(node.body, ids)
                elif ids != above:
                    yield node.name, ids  # a marked state machine, which its TestCase makes a test
            elif node.name.startswith("test_"):
                yield node.name, ids


def _ids(expression: ast.expr) -> Iterator[str]:
    """The ids in every `pytest.mark.rule(...)` of an expression."""
    for call in ast.walk(expression):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "rule":
            yield from (str(argument.value) for argument in call.args if isinstance(argument, ast.Constant))


def table(known: dict[str, str], found: list[tuple[str, str]]) -> str:
    """Each rule with its tests; a rule without one says so."""
    lines = []
    for rule, words in known.items():
        tests = sorted({test for identifier, test in found if identifier == rule})
        lines.append(f"{rule}  {words}")
        lines += [f"         {test}" for test in tests] or ["         (no test yet)"]
    proven = sum(1 for rule in known if any(identifier == rule for identifier, _ in found))
    return "\n".join([*lines, "", f"{proven} of {len(known)} rules have a test"])


def main() -> int:
    """Print the table; fail if a test names a rule that does not exist."""
    known = rules((ROOT.parent / "docs" / "rules.md").read_text())
    found = list(proofs(ROOT))
    print(table(known, found))
    unknown = sorted({f"{test} names {rule}" for rule, test in found if rule not in known})
    for line in unknown:
        print(f"unknown rule: {line}", file=sys.stderr)
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
