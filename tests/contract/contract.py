"""The contract, read from its descriptors: every method, a valid request for it, and every way to break that request.

No method is named here, so a new method of the contract is tested at once.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import unora
from buf.validate import validate_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor
from google.protobuf.message import Message
from unora_common.config import CONTEXTS
from unora_common.ids import uuid7
from unora_common.policies import MethodPolicy, policies_of

CANARY = "canary7f3a"
"""Part of every bad text; no answer may contain it."""
KNOWN = {"time_zone": "Europe/London", "hobby_option_id": "chess", "begin": "22:30", "end": "07:00"}
"""Existing values by field, so that a request is not refused for them before its odd field is checked."""
FITTING = {"unora.billing.v1.CreatePaymentRequest.purpose": 2, "unora.billing.v1.GetQuoteRequest.purpose": 2}
"""Values that fit those of other fields: a reveal number needs the purpose reveal."""
RAW = "google.api.HttpBody"
"""The request of a webhook: a raw body, because its signature covers the bytes. Its content is not our contract."""


@cache
def files() -> list[FileDescriptor]:
    """Every file of the contract."""
    found = {}
    for root in map(Path, unora.__path__):  # the same file may be found by two paths
        for path in sorted(root.rglob("*_pb2.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name] = importlib.import_module(f"unora.{name}").DESCRIPTOR
    return list(found.values())


@dataclass(frozen=True)
class Method:
    """One method of the contract."""

    descriptor: MethodDescriptor
    policy: MethodPolicy

    @property
    def context(self) -> str:
        """The context that serves it."""
        return str(self.descriptor.containing_service.full_name.split(".")[1])

    def __str__(self) -> str:
        return f"{self.context}.{self.policy.name}"


@cache
def methods() -> list[Method]:
    """Every method of every service of the contexts that run."""
    found = []
    for file in files():
        for service in file.services_by_name.values():
            pairs = zip(service.methods, policies_of(service), strict=True)
            found += [Method(descriptor, policy) for descriptor, policy in pairs]
    assert {method.context for method in found} <= set(CONTEXTS)
    return found


@cache
def events() -> list[Descriptor]:
    """Every event of the contract."""
    return [
        message
        for file in files()
        if file.name.endswith("/events.proto")
        for message in file.message_types_by_name.values()
    ]


def rules_of(field: FieldDescriptor) -> Any:
    """The validation rules of a field."""
    return field.GetOptions().Extensions[validate_pb2.field]


def fields_of(message: Descriptor, path: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    """All fields of a message and of the messages of ours in it, by path."""
    for field in message.fields:
        yield f"{path}{field.name}", field
        if field.message_type and field.message_type.full_name.startswith("unora."):
            yield from fields_of(field.message_type, f"{path}{field.name}.")


# Valid requests


def valid(message: Descriptor) -> Message:
    """A message that breaks no rule; its ids do not exist."""
    made = message_factory.GetMessageClass(message)()
    for field in message.fields if message.full_name != RAW else ():
        rules = rules_of(field)
        if field.is_repeated:
            items = [_value(field, rules.repeated.items) for _ in range(rules.repeated.min_items or 1)]
            getattr(made, field.name).extend(items)
        elif field.message_type:
            getattr(made, field.name).CopyFrom(_value(field, rules))
        else:
            setattr(made, field.name, _value(field, rules))
    return made


def _value(field: FieldDescriptor, rules: Any) -> Any:
    if field.message_type:
        return _message(field.message_type)
    if field.enum_type:
        return FITTING.get(field.full_name) or next(number for number in _allowed(field, rules) if number)
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return KNOWN.get(field.name) or _text(rules.string)
        case FieldDescriptor.TYPE_BOOL:
            return False
        case FieldDescriptor.TYPE_INT32:
            return max(rules.int32.gte, 1)
        case FieldDescriptor.TYPE_INT64:
            return max(rules.int64.gte, 1)
        case _:
            raise TypeError(f"{field.full_name}: add a valid value of its type here")


def _allowed(field: FieldDescriptor, rules: Any) -> list[int]:
    """The values of an enum that the rules allow."""
    assert field.enum_type is not None
    listed = getattr(rules.enum, "in") or [value.number for value in field.enum_type.values]
    return [number for number in listed if number not in rules.enum.not_in]


def _message(kind: Descriptor) -> Message:
    made: Any = message_factory.GetMessageClass(kind)
    match kind.full_name:
        case "google.protobuf.FieldMask":
            return made(paths=["*"])  # type: ignore[no-any-return]
        case "google.type.Date":
            return made(year=1990, month=2, day=28)  # type: ignore[no-any-return]
        case "google.protobuf.Timestamp":
            return made(seconds=636_163_200)  # type: ignore[no-any-return]
        case _:
            return valid(kind)


def _text(rules: Any) -> str:
    if rules.uuid:
        return str(uuid7())
    if getattr(rules, "in"):
        return str(next(text for text in getattr(rules, "in") if text))
    if rules.pattern:
        return _matching(str(rules.pattern))
    return "x" * max(int(rules.min_len), 1)


def _matching(pattern: str) -> str:
    """The shortest text that matches, for patterns that are classes with counts, such as ^[a-z][a-z0-9_]{1,39}$."""
    made = "".join(first * int(count or 1) for first, count in re.findall(r"\[(.)[^]]*\](?:\{(\d+)[,\d]*\})?", pattern))
    assert re.fullmatch(pattern, made), f"{pattern}: extend _matching for this pattern"
    return str(made)


# Bad requests


@dataclass(frozen=True)
class Bad:
    """A request with one invalid field."""

    path: str
    why: str
    request: Message


def bad(message: Descriptor) -> list[Bad]:
    """Every way in which a request of this type can break one of its rules."""
    found = []
    for path, why, spoil in _spoilers(message):
        request = valid(message)
        spoil(request)
        found.append(Bad(path, why, request))
    return found


def _spoilers(message: Descriptor) -> Iterator[tuple[str, str, Any]]:
    for field in message.fields if message.full_name != RAW else ():
        rules, name = rules_of(field), field.name
        if field.is_repeated:
            yield from _of_list(field, rules)
            continue
        if field.message_type:
            if rules.required:
                yield name, "absent", lambda m, n=name: m.ClearField(n)
            if field.message_type.full_name.startswith("unora."):
                for path, why, spoil in _spoilers(field.message_type):
                    yield f"{name}.{path}", why, lambda m, n=name, s=spoil: s(getattr(m, n))
            continue
        for why, value in _bad_values(field, rules):
            yield name, why, lambda m, n=name, v=value: setattr(m, n, v)


def _of_list(field: FieldDescriptor, rules: Any) -> Iterator[tuple[str, str, Any]]:
    name = field.name
    if rules.repeated.min_items:
        yield name, "empty list", lambda m: m.ClearField(name)
    if rules.repeated.max_items:

        def overfill(message: Any) -> None:
            items = getattr(message, name)
            while len(items) <= rules.repeated.max_items:
                items.append(_value(field, rules.repeated.items))

        yield name, "too many", overfill
    if field.message_type:
        for path, why, spoil in _spoilers(field.message_type):
            yield f"{name}[0].{path}", why, lambda m, s=spoil: s(getattr(m, name)[0])
    else:
        for why, value in _bad_values(field, rules.repeated.items):
            yield f"{name}[0]", why, lambda m, v=value: getattr(m, name).__setitem__(0, v)


def _bad_values(field: FieldDescriptor, rules: Any) -> Iterator[tuple[str, Any]]:
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            yield from _bad_texts(rules.string)
        case FieldDescriptor.TYPE_ENUM:
            assert field.enum_type is not None
            allowed = _allowed(field, rules)
            if rules.enum.defined_only or getattr(rules.enum, "in"):
                yield from (("not of the enum", 9999), ("below the enum", -1))
                left_out = [value.number for value in field.enum_type.values if value.number not in allowed]
                yield from (("not allowed" if number else "empty", number) for number in left_out)
        case FieldDescriptor.TYPE_INT32:
            if rules.int32.HasField("gte"):
                yield "too low", rules.int32.gte - 1
                yield "lowest of all", -(2**31)
                if rules.int32.gte > 0:
                    yield "empty", 0
            if rules.int32.HasField("lte"):
                yield "too high", rules.int32.lte + 1
                yield "highest of all", 2**31 - 1
        case FieldDescriptor.TYPE_INT64:
            if rules.int64.HasField("gte"):
                yield "too low", rules.int64.gte - 1
                yield "lowest of all", -(2**63)


def _bad_texts(rules: Any) -> Iterator[tuple[str, str]]:
    strict = rules.uuid or rules.pattern or getattr(rules, "in")
    if strict:
        yield "of another shape", f"!{CANARY}!"
        yield "a line too long", _text(rules) + "\n"
        yield "longer than any", CANARY * 1000
        yield "with a null", "\0" + _text(rules)
        yield "sql", f"' OR 1=1 -- {CANARY}"
    if rules.uuid:
        yield "in braces", "{" + str(uuid7()) + "}"
        yield "without dashes", uuid7().hex
    if rules.uuid or rules.pattern or rules.min_len or (getattr(rules, "in") and "" not in getattr(rules, "in")):
        yield "empty", ""
    if rules.max_len:
        yield "too long", (CANARY + "x" * rules.max_len)[: rules.max_len + 1]
        yield "much too long", CANARY + "x" * 100_000


# Odd requests: the contract's rules allow them, so the service has to check them

ODD_TEXTS = [
    *("\0", f"a\0{CANARY}", "\u202e" * 8, "\ufeff" * 8, "\U0001f9ff" * 20, "e\u0301" * 12, " " * 30, "\x1b[2J" * 6),
    *("' OR 1=1; DROP TABLE x --", "%s%n{0}${jndi:x}", "../" * 8, "\r\n\r\nSet-Cookie: x"),
]
ODD_DATES = [
    (0, 0, 0),
    (1990, 13, 1),
    (1990, 2, 30),
    (1990, 0, 1),
    (-1, 1, 1),
    (9999, 12, 31),
    (10_000, 1, 1),
    (2**31 - 1, 1, 1),
]
ODD_TIMES = [(2**63 - 1, 0), (-(2**63), 0), (0, -1), (0, 2**31 - 1), (-62_135_596_801, 0), (253_402_300_800, 0)]
ODD_MASKS = [[], [""], [CANARY], ["name", CANARY], ["*", "name"], ["name"] * 10_000]


def odd(message: Descriptor) -> list[Bad]:
    """Requests with null characters, escapes, impossible dates and masks of fields that do not exist."""
    found = []
    for path, field in fields_of(message) if message.full_name != RAW else ():
        for value in _odd_values(field):
            request = valid(message)
            *parents, name = path.split(".")
            within: Any = request
            for parent in parents:
                within = getattr(within, parent)
                within = within[0] if hasattr(within, "append") else within
            if isinstance(value, Message):
                getattr(within, name).CopyFrom(value)
            else:
                setattr(within, name, value)
            found.append(Bad(path, repr(value)[:60], request))
    return found


def _odd_values(field: FieldDescriptor) -> list[Any]:
    rules = rules_of(field).string
    strict = rules.uuid or rules.pattern or getattr(rules, "in")
    if field.type == FieldDescriptor.TYPE_STRING and not (field.is_repeated or strict):
        return ODD_TEXTS
    if field.message_type is None:
        return []
    made: Any = message_factory.GetMessageClass(field.message_type)
    match field.message_type.full_name:
        case "google.type.Date":
            return [made(year=year, month=month, day=day) for year, month, day in ODD_DATES]
        case "google.protobuf.FieldMask":
            return [made(paths=paths) for paths in ODD_MASKS]
        case "google.protobuf.Timestamp":
            return [made(seconds=seconds, nanos=nanos) for seconds, nanos in ODD_TIMES]
        case _:
            return []


def unbounded(pattern: str) -> bool:
    """Whether a pattern could match a text of any length."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return True
    return bool(re.search(r"[*+]|\{\d+,\}", pattern))
