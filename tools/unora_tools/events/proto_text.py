"""The message of an event as a `.proto` that stands alone: readers of AsyncAPI follow no imports but Google's."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from google.protobuf.descriptor_pb2 import EnumDescriptorProto, FieldDescriptorProto
from unora_gateway.openapi.contract import Contract, Type

Kind = FieldDescriptorProto.Type
KNOWN: Final = {
    "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
    "google.type.Date": "google/type/date.proto",
}
"""Messages of Google's that events hold, and their files."""
WIDTH: Final = 100
SYNTAX: Final = 'syntax = "proto3";'


class UnknownTypeError(Exception):
    """The message has a part that this generator cannot write; it must not be lost in silence."""


def proto_text(contract: Contract, name: str) -> str:
    """A `.proto` with this message and the enums that it holds. Raises UnknownTypeError.

    Its package is that of the message, also for an enum of another one: names, numbers and so the bytes are the same.
    """
    message = contract.message(name)
    fields = _fields(message)
    imports = sorted({KNOWN[_named(each)] for each in fields if each.type == Kind.TYPE_MESSAGE})
    enums = dict.fromkeys(_named(each) for each in fields if each.type == Kind.TYPE_ENUM)
    lines = [SYNTAX, "", f"package {name.rpartition('.')[0]};", ""]
    lines += [f'import "{each}";' for each in imports]
    lines += ["", *_commented(message.says), f"message {_short(name)} {{"]
    for each in fields:
        lines += _commented(message.members[each.name], "  ")
        lines.append(f"  {_label(each)}{_type(each)} {each.name} = {each.number};")
    lines.append("}")
    for enum in enums:
        lines += ["", *_enum(contract.types[enum])]
    return "\n".join(lines) + "\n"


def type_name(field: FieldDescriptorProto) -> str:
    """The type of a field as readers know it: `int64`, `Timestamp`, `StreakState`."""
    return _short(_named(field)) if field.type_name else _scalar(field)


def _fields(message: Type) -> list[FieldDescriptorProto]:
    descriptor = message.descriptor
    if isinstance(descriptor, EnumDescriptorProto) or descriptor.nested_type or descriptor.enum_type:
        raise UnknownTypeError(f"{message.name} has a type inside it")
    for each in descriptor.field:
        if each.HasField("oneof_index") and not each.proto3_optional:
            raise UnknownTypeError(f"{message.name}.{each.name} is in a oneof")
        if each.type == Kind.TYPE_MESSAGE and _named(each) not in KNOWN:
            raise UnknownTypeError(f"{message.name}.{each.name} is a {_named(each)}")
    return list(descriptor.field)


def _enum(enum: Type) -> Iterator[str]:
    assert isinstance(enum.descriptor, EnumDescriptorProto)
    yield from _commented(enum.says)
    yield f"enum {enum.descriptor.name} {{"
    for value in enum.descriptor.value:
        yield from _commented(enum.members[value.name], "  ")
        yield f"  {value.name} = {value.number};"
    yield "}"


def _label(field: FieldDescriptorProto) -> str:
    if field.label == FieldDescriptorProto.Label.LABEL_REPEATED:
        return "repeated "
    return "optional " if field.proto3_optional else ""


def _type(field: FieldDescriptorProto) -> str:
    if field.type == Kind.TYPE_MESSAGE:
        return _named(field)
    return type_name(field)


def _scalar(field: FieldDescriptorProto) -> str:
    return Kind.Name(field.type).removeprefix("TYPE_").lower()


def _named(field: FieldDescriptorProto) -> str:
    return field.type_name.removeprefix(".")


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _commented(text: str, indent: str = "") -> Iterator[str]:
    for line in wrap(" ".join(text.split()), WIDTH - len(indent)):
        yield f"{indent}// {line}"
