"""Protobuf messages whose bytes SQL makes: for a statement that writes an event of each of the rows that it changes.

A message is the bytes of its fields one after the other, in any order. So fields that are the same in all messages are
serialized once, by Python, and SQL puts those of each row before them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from google.protobuf.message import Message

_TEXT, _NUMBER = 2, 0  # wire types
_UUID_SIZE: Final = 36


def uuid_fields(kind: type[Message], values: Mapping[str, str]) -> str:
    """SQL of the bytes of text fields that hold UUIDs: expressions of type uuid, not NULL, by the names of fields."""
    parts = [f"E'{_escaped(_tag(kind, name, _TEXT))}{_escaped(_UUID_SIZE)}', {sql}" for name, sql in values.items()]
    return f"convert_to(concat({', '.join(parts)}), 'UTF8')"


def number_fields(kind: type[Message], values: Mapping[str, str]) -> str:
    """SQL of the bytes of integer fields: expressions of whole numbers from 0 to 2^28 - 1, by the names of fields. The
    result is NULL for other numbers.
    """
    return " || ".join(_number(_tag(kind, name, _NUMBER), sql) for name, sql in values.items())


def _number(tag: int, value: str) -> str:
    """Seven bits a byte, the lowest first; all bytes but the last have the highest bit set."""
    cases = []
    for size in range(1, 5):
        sql = f"'\\x{tag:02x}{'00' * size}'::bytea"
        for index in range(size):
            more = " | 128" if index < size - 1 else ""
            sql = f"set_byte({sql}, {index + 1}, (({value} >> {7 * index}) & 127{more})::integer)"
        cases.append(f"WHEN {value} < {1 << 7 * size} THEN {sql}")
    return f"CASE WHEN {value} < 0 THEN NULL {' '.join(cases)} END"


def _tag(kind: type[Message], name: str, wire_type: int) -> int:
    number: int = kind.DESCRIPTOR.fields_by_name[name].number
    if number > 15:
        raise ValueError(f"the tag of {name} takes more than one byte")
    return number << 3 | wire_type


def _escaped(byte: int) -> str:
    return f"\\{byte:03o}"
