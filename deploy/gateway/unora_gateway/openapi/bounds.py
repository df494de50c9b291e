"""The bounds of a field, from its validation rules (protovalidate) to JSON Schema.

A rule that has no translation here is an error of the generator, so that no bound is lost in silence.
"""

from __future__ import annotations

import re
from typing import Any, Final

from buf.validate import validate_pb2
from google.protobuf.descriptor_pb2 import EnumDescriptorProto, FieldDescriptorProto

Schema = dict[str, Any]
UUID: Final = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
Kind = FieldDescriptorProto.Type
NUMBERS: Final = {"gte": "minimum", "lte": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
SAYS: Final = {"gte": "At least {}.", "lte": "At most {}.", "gt": "More than {}.", "lt": "Less than {}."}
TEXTS: Final = {"min_len": "minLength", "max_len": "maxLength"}
LISTS: Final = {"min_items": "minItems", "max_items": "maxItems", "unique": "uniqueItems"}
BIG: Final = {Kind.TYPE_INT64: "int64", Kind.TYPE_UINT64: "uint64", Kind.TYPE_SINT64: "sint64"}
SMALL: Final = {Kind.TYPE_INT32: "int32", Kind.TYPE_UINT32: "uint32", Kind.TYPE_SINT32: "sint32"}
REAL: Final = {Kind.TYPE_DOUBLE: "double", Kind.TYPE_FLOAT: "float"}


class UnknownRuleError(Exception):
    """A rule, or a type, that this generator cannot say in JSON Schema."""


def rules_of(field: FieldDescriptorProto) -> Any:
    """The rules of a field; empty if it has none."""
    options: Any = field.options
    return options.Extensions[validate_pb2.field]


def of_text(rules: Any) -> Schema:
    """A string's."""
    found: Schema = {}
    for rule, value in _listed(rules):
        match rule:
            case "min_len" | "max_len":
                found[TEXTS[rule]] = value
            case "uuid":
                found |= {"format": "uuid", "pattern": UUID}
            case "pattern":
                found["pattern"] = value
            case "in":
                found["enum"] = list(value)
            case _:
                raise UnknownRuleError(f"string.{rule}")
    return found


def of_number(rules: Any) -> Schema:
    """An integer's of at most 32 bits, or a real number's."""
    found: Schema = {}
    for rule, value in _listed(rules):
        if rule == "in":
            found["enum"] = list(value)
        elif rule in NUMBERS:
            found[NUMBERS[rule]] = value
        else:
            raise UnknownRuleError(f"number.{rule}")
    return found


def in_words(rules: Any) -> str:
    """Those of a large integer, which JSON carries as a string, in words."""
    unknown = [rule for rule, _ in _listed(rules) if rule not in SAYS]
    if unknown:
        raise UnknownRuleError(f"int64.{unknown[0]}")
    return " ".join(SAYS[rule].format(value) for rule, value in _listed(rules))


def of_list(rules: Any) -> Schema:
    """A list's, without those of its items."""
    found: Schema = {}
    for rule, value in _listed(rules):
        if rule in LISTS:
            found[LISTS[rule]] = value
        elif rule != "items":
            raise UnknownRuleError(f"repeated.{rule}")
    return found


def of_enum(enum: EnumDescriptorProto, rules: Any) -> list[str]:
    """The names that are allowed."""
    unknown = {rule for rule, _ in _listed(rules)} - {"defined_only", "in", "not_in"}
    if unknown:
        raise UnknownRuleError(f"enum.{unknown.pop()}")
    wanted = list(getattr(rules, "in"))
    return [
        each.name
        for each in enum.value
        if (each.number in wanted or not wanted) and each.number not in list(rules.not_in)
    ]


def is_needed(field: FieldDescriptorProto, enum: EnumDescriptorProto | None) -> bool:
    """Whether a request without the field breaks a rule. What is absent has the value zero, unless it has presence."""
    rules = rules_of(field)
    if rules.required:
        return True
    if field.proto3_optional or field.HasField("oneof_index") or rules.ignore:
        return False
    if field.label == FieldDescriptorProto.Label.LABEL_REPEATED:
        return bool(rules.repeated.min_items)
    if enum is not None:
        return enum.value[0].name not in of_enum(enum, rules.enum)
    if field.type == Kind.TYPE_STRING:
        return not _fits_nothing(of_text(rules.string))
    if field.type in SMALL:
        return _more_than_zero(getattr(rules, SMALL[field.type]))
    if field.type in BIG:
        return _more_than_zero(getattr(rules, BIG[field.type]))
    return False


def _fits_nothing(schema: Schema) -> bool:
    """Whether the empty text is allowed."""
    is_short = not schema.get("minLength", 0)
    matches = "pattern" not in schema or bool(re.search(schema["pattern"], ""))
    return is_short and matches and ("enum" not in schema or "" in schema["enum"])


def _more_than_zero(rules: Any) -> bool:
    wanted = list(getattr(rules, "in"))
    return rules.gte > 0 or (rules.HasField("gt") and rules.gt >= 0) or (bool(wanted) and 0 not in wanted)


def _listed(rules: Any) -> list[tuple[str, Any]]:
    return [(descriptor.name, value) for descriptor, value in rules.ListFields()]
