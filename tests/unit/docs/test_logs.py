"""docs/logs.md has every field that a line of the log may have, and no line of the code has another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from unora_common.logs import FIELDS
from unora_tools.markdown import table

ROOT: Final = Path(__file__).resolve().parents[3]
LEVELS: Final = {"debug", "info", "warning", "error", "critical", "bind"}
RENAMED: Final = {"failure"}
"""`failure=error` becomes `error` and `exception`."""


def test_the_page_has_the_fields_with_their_meanings() -> None:
    wanted = table(("field", "what"), ((f"`{name}`", meaning) for name, meaning in FIELDS.items()))
    assert (ROOT / "docs" / "logs.md").read_text().endswith(f"\n{wanted}"), f"docs/logs.md must end with:\n{wanted}"


def test_no_line_has_a_field_that_is_not_on_the_list() -> None:
    """Such a field would be dropped, and the person who needs it would find its name only."""
    lines = list(_lines())
    assert len(lines) > 50
    wrong = [
        f"{where}: {name}" for where, names in lines for name in names if name not in FIELDS and name not in RENAMED
    ]
    assert wrong == []


def _lines() -> Iterator[tuple[str, list[str]]]:
    """Each call of a logger, with the names of its fields."""
    for folder in (ROOT / "libs" / "common", ROOT / "services"):
        for file in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and _is_line(node.func):
                    names = [keyword.arg for keyword in node.keywords if keyword.arg]
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", names


def _is_line(function: ast.expr) -> bool:
    """`log.info`, `self._log.error`, `runtime.log.bind`, or `report`, as they are called here."""
    if isinstance(function, ast.Name):
        return function.id == "report"
    owner = function.value if isinstance(function, ast.Attribute) and function.attr in LEVELS else None
    name = getattr(owner, "attr", None) or getattr(owner, "id", None)
    return name in {"log", "_log"}
