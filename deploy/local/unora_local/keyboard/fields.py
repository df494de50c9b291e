"""Picks a field of an answer of REST, so that a shell needs no other program for it."""

from __future__ import annotations

import json
from typing import Any

from unora_local.keyboard.typed import json_of
from unora_local.mistakes import Mistake


def pick(text: str, path: str) -> str:
    """The field at `path`, such as `streaks.0.streak_id`; all without a path. Text comes as it is, all else as JSON.

    Raises Mistake if the text is no JSON, or has no such field: then it says what there is, or what was refused.
    """
    there = value = json_of(text)
    for name in filter(None, path.split(".")):
        try:
            there = _within(there, name)
        except LookupError:
            raise Mistake(_missing(value, there, path, name)) from None
    return there if isinstance(there, str) else json.dumps(there, indent=2, ensure_ascii=False)


def _within(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value[name]
    if isinstance(value, list) and name.isdecimal():
        return value[int(name)]
    raise LookupError


def _missing(whole: Any, there: Any, path: str, name: str) -> str:
    if isinstance(whole, dict) and {"code", "reason", "message"} <= whole.keys():
        return f"the call was refused: {json.dumps(whole, ensure_ascii=False)}"
    held = f"there are {', '.join(there)}" if isinstance(there, dict) and there else f"there is {json.dumps(there)}"
    return f"{path}: there is no {name}; {held}"
