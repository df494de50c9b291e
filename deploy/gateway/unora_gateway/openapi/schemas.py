"""Schemas of the contract's messages, as the gateway writes and reads them in JSON.

Names are those of the contract, in snake_case. A message that apps send and one that they receive are different
schemas, since different fields are required: in an answer every field is there, also with its zero value, except those
that may be absent; in a request those are required without which it would be refused.
"""

from __future__ import annotations

from typing import Any, Final

from buf.validate import validate_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FieldDescriptorProto

from unora_gateway.openapi import bounds
from unora_gateway.openapi.bounds import BIG, REAL, SMALL, Kind, Schema, UnknownRuleError, rules_of
from unora_gateway.openapi.contract import Contract, Type, listed

PREFIX: Final = "#/components/schemas/"
KNOWN: Final[dict[str, Schema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Empty": {"type": "object"},
}
"""Types that have a JSON form of their own."""
DATE: Final[Schema] = {
    "type": "object",
    "description": "A complete date of the calendar.",
    "properties": {
        "year": {"description": "The year.", "type": "integer", "format": "int32", "minimum": 1, "maximum": 9999},
        "month": {"description": "The month.", "type": "integer", "format": "int32", "minimum": 1, "maximum": 12},
        "day": {
            "description": "The day of the month.",
            "type": "integer",
            "format": "int32",
            "minimum": 1,
            "maximum": 31,
        },
    },
    "required": ["year", "month", "day"],
}
"""google.type.Date, whose descriptor comes without comments and bounds."""
MASK: Final = "Names of fields, with commas between them."
LARGE: Final = "A whole number of up to 64 bits, as a string."


class Schemas:
    """Makes schemas, and collects those that have names."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.named: dict[str, Schema] = {}

    def answer(self, name: str) -> Schema:
        """A reference to the schema of a message that apps receive."""
        return self._message(name, is_sent=False)

    def request(self, name: str, without: tuple[str, ...] = ()) -> Schema:
        """A reference to the schema of a message that apps send as a body, without the fields that the path has."""
        return self._message(name, is_sent=True, without=without)

    def parameter(self, message: Type, field: FieldDescriptorProto) -> tuple[Schema, str, bool]:
        """A field of a request in the path or in the query: its schema, its comment, whether it is needed."""
        schema = self._field(field, is_sent=True)
        says = _with(message.members[field.name], schema.pop("description", ""))
        return schema, says, self._is_needed(field)

    def _message(self, name: str, *, is_sent: bool, without: tuple[str, ...] = ()) -> Schema:
        if name in KNOWN:
            return dict(KNOWN[name])
        if name == "google.type.Date":
            self.named["Date"] = DATE
            return {"$ref": f"{PREFIX}Date"}
        title = _title(name, is_sent=is_sent)
        if title not in self.named:
            self.named[title] = {}  # messages may hold themselves
            self.named[title] = self._object(self.contract.message(name), is_sent, without)
        return {"$ref": PREFIX + title}

    def _object(self, message: Type, is_sent: bool, without: tuple[str, ...]) -> Schema:
        descriptor = message.descriptor
        assert isinstance(descriptor, DescriptorProto)
        fields = [each for each in descriptor.field if each.name not in without]
        properties = {each.name: self._property(message, each, is_sent) for each in fields}
        made: Schema = {"type": "object", "description": " ".join([message.says, *_conditions(descriptor, is_sent)])}
        if properties:
            made["properties"] = properties
        is_there = self._is_needed if is_sent else _is_always_there
        if required := [each.name for each in fields if is_there(each)]:
            made["required"] = required
        return made | (_one_of(descriptor) if is_sent else {})

    def _property(self, message: Type, field: FieldDescriptorProto, is_sent: bool) -> Schema:
        """The schema of a field, with its comment first."""
        schema, says = self._field(field, is_sent=is_sent), message.members[field.name]
        more = schema.pop("description", "")
        return {"description": _with(says, more)} | schema

    def _field(self, field: FieldDescriptorProto, *, is_sent: bool) -> Schema:
        if field.label != FieldDescriptorProto.Label.LABEL_REPEATED:
            return self._value(field, rules_of(field), is_sent)
        kind = self.contract.types.get(field.type_name.lstrip("."))
        if kind and isinstance(kind.descriptor, DescriptorProto) and kind.descriptor.options.map_entry:
            value = kind.descriptor.field[1]
            return {"type": "object", "additionalProperties": self._value(value, rules_of(value), is_sent)}
        rules = rules_of(field).repeated
        items = self._value(field, rules.items, is_sent)
        return {"type": "array", "items": items} | (bounds.of_list(rules) if is_sent else {})

    def _value(self, field: FieldDescriptorProto, rules: Any, is_sent: bool) -> Schema:
        """One value of a field; only what is sent has bounds."""
        name = field.type_name.lstrip(".")
        match field.type:
            case Kind.TYPE_MESSAGE:
                return self._of_message(name, is_sent)
            case Kind.TYPE_ENUM:
                return self._of_enum(name, rules.enum, is_sent)
            case Kind.TYPE_STRING:
                return {"type": "string"} | (bounds.of_text(rules.string) if is_sent else {})
            case Kind.TYPE_BOOL:
                return {"type": "boolean"}
            case Kind.TYPE_BYTES:
                return {"type": "string", "contentEncoding": "base64"}
        return _of_number(field.type, rules, is_sent)

    def _of_message(self, name: str, is_sent: bool) -> Schema:
        schema = self._message(name, is_sent=is_sent)
        return schema | ({"description": MASK} if name == "google.protobuf.FieldMask" else {})

    def _of_enum(self, name: str, rules: Any, is_sent: bool) -> Schema:
        enum = self._enum(name)
        if is_sent and rules.ListFields():
            says = self.contract.types[name].members
            names = bounds.of_enum(enum, rules)
            return {"type": "string", "enum": names, "description": _values({each: says[each] for each in names})}
        title = _title(name, is_sent=False)
        found = self.contract.types[name]
        self.named[title] = {
            "type": "string",
            "description": f"{found.says}\n\n{_values(found.members)}",
            "enum": [each.name for each in enum.value],
        }
        return {"$ref": PREFIX + title}

    def _is_needed(self, field: FieldDescriptorProto) -> bool:
        return bounds.is_needed(field, self._enum(field.type_name[1:]) if field.type == Kind.TYPE_ENUM else None)

    def _enum(self, name: str) -> EnumDescriptorProto:
        found = self.contract.types[name].descriptor
        assert isinstance(found, EnumDescriptorProto)
        return found


def _of_number(kind: Kind.ValueType, rules: Any, is_sent: bool) -> Schema:
    if kind in BIG:
        words = bounds.in_words(getattr(rules, BIG[kind])) if is_sent else ""
        return {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$", "description": f"{LARGE} {words}".strip()}
    if kind in SMALL:
        limits = bounds.of_number(getattr(rules, SMALL[kind])) if is_sent else {}
        return {"type": "integer", "format": "int32"} | limits
    if kind in REAL:
        return {"type": "number"} | (bounds.of_number(getattr(rules, REAL[kind])) if is_sent else {})
    raise UnknownRuleError(f"a field of the type {Kind.Name(kind)}")


def _title(name: str, *, is_sent: bool) -> str:
    """`identity.Photo` for an answer and for an enum; a part of a request is `identity.HobbyInput`."""
    short = name.removeprefix("unora.").replace(".v1.", ".")
    return short if not is_sent or short.endswith("Request") else f"{short}Input"


def _is_always_there(field: FieldDescriptorProto) -> bool:
    """Whether an answer always has the field: all do that have no presence."""
    if field.label == FieldDescriptorProto.Label.LABEL_REPEATED:
        return True
    return field.type != Kind.TYPE_MESSAGE and not field.HasField("oneof_index")


def _oneofs(message: DescriptorProto) -> list[tuple[list[str], bool]]:
    """The fields of each real oneof, and whether one of them must be there."""
    found = []
    for at, oneof in enumerate(message.oneof_decl):
        fields = [each for each in message.field if each.HasField("oneof_index") and each.oneof_index == at]
        if not any(each.proto3_optional for each in fields):
            options: Any = oneof.options
            found.append(([each.name for each in fields], bool(options.Extensions[validate_pb2.oneof].required)))
    return found


def _one_of(message: DescriptorProto) -> Schema:
    """That at most, or exactly, one field of a oneof is there."""
    rules = []
    for names, is_required in _oneofs(message):
        ways: list[Schema] = [{"required": [name]} for name in names]
        rules.append({"oneOf": ways if is_required else [*ways, {"not": {"anyOf": list(ways)}}]})
    if len(rules) == 1:
        return rules[0]
    return {"allOf": rules} if rules else {}


def _conditions(message: DescriptorProto, is_sent: bool) -> list[str]:
    """What JSON Schema cannot say, in words."""
    said = []
    if not is_sent:
        said = [f"One of {listed(names)}." for names, _ in _oneofs(message)]
    else:
        options: Any = message.options
        said = [f"Rule: {each.message}." for each in options.Extensions[validate_pb2.message].cel]
    return said


def _with(says: str, more: str) -> str:
    """A comment, and what a field's type adds to it; a list is a paragraph of its own."""
    return f"{says}\n\n{more}" if more.startswith("- ") else f"{says} {more}".strip()


def _values(says: dict[str, str]) -> str:
    """The values of an enum as a list in Markdown."""
    return "\n".join(f"- `{name}`: {text}" if text else f"- `{name}`" for name, text in says.items())
