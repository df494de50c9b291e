"""What a request breaks of the contract's rules, in words for the app's developer: the field by its path, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import protovalidate
from google.protobuf.message import Message

from unora_common.errors import InvalidArgument

_collect: Final[Callable[[Message], list[Any]]] = protovalidate.Validator().collect_violations
"""Of one validator for the process: it keeps the rules of each message that it has seen."""
ABSENT: Final = "must be given"
_WORDS: Final = {
    "required": ABSENT,
    "string.uuid_empty": ABSENT,
    "enum.defined_only": "is not one of the values that the contract names",
}
"""Our words by rule, where those of protovalidate do not say what to do."""
_OF_VALUES: Final = frozenset({"enum.in", "enum.not_in", "string.in", "string.pattern"})
"""Rules that list values or describe them, and that an absent field breaks."""


def require_valid(request: Message) -> None:
    """Refuses a request that breaks rules of the contract: each field that does is named, and no value is repeated."""
    violations = _collect(request)
    if violations:
        raise InvalidArgument(_described(violations))


def _described(violations: list[Any]) -> dict[str, str]:
    """Why, by the path of the field; the first reason of each. A rule about several fields has an empty path."""
    found: dict[str, str] = {}
    for violation in violations:
        field = violation.proto.field
        found.setdefault(".".join(map(_step, field.elements)) if field else "", _why(violation))
    return found


def _step(element: Any) -> str:
    """A field's name, in a list with the index from 0: `hobbies[1]`. A map's key is left out: the caller chose it."""
    is_list = element.subscript is not None and element.subscript.field == "index"
    return f"{element.field_name}[{element.subscript.value}]" if is_list else str(element.field_name)


def _why(violation: Any) -> str:
    rule = violation.proto.rule_id
    if rule in _OF_VALUES and not violation.field_value:  # what is absent reads as 0 or as an empty text
        return ABSENT
    return _WORDS.get(rule) or violation.proto.message or str(rule)
