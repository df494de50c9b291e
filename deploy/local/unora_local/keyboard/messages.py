"""Between a person's JSON and the contract's messages: enum values in any case, mistakes named by their field."""

from __future__ import annotations

from typing import Any, Final, TypeVar
from uuid import uuid4

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from unora_local.keyboard.typed import json_of
from unora_local.mistakes import Mistake

M = TypeVar("M", bound=Message)
REQUEST_ID: Final = "request_id"
MASK: Final = "google.protobuf.FieldMask"
"""Its JSON names fields as JSON does; a person writes them as the contract does."""
_KNOWN_TYPES: Final = "google.protobuf."
"""Messages of this package have a JSON of their own: a Timestamp is a text."""


def from_json(kind: type[M], text: str) -> M:
    """A request from its JSON; a missing request_id is filled in. Enum values are taken in any case and without their
    prefix: `partner` is SERVER_TYPE_PARTNER. Raises Mistake.
    """
    given = json_of(text)
    if not isinstance(given, dict):
        raise Mistake('the request is a JSON object, such as {"limit": 5}')
    descriptor: Any = kind.DESCRIPTOR  # typed as one of two classes with the same members
    read = _message(descriptor, given, "")
    if REQUEST_ID in descriptor.fields_by_name and not {REQUEST_ID, "requestId"} & set(read):
        read[REQUEST_ID] = str(uuid4())
    try:
        return json_format.ParseDict(read, kind())
    except json_format.ParseError as error:
        raise Mistake(f"the request cannot be read: {error}") from None


def to_json(message: Message, *, indent: int | None = 2) -> str:
    """A message as JSON, with the contract's names; what is zero, false or empty is shown, what is absent is not."""
    return json_format.MessageToJson(
        message,
        always_print_fields_with_no_presence=True,
        preserving_proto_field_name=True,
        indent=indent,
        ensure_ascii=False,
    )


def _message(kind: Descriptor, given: dict[str, Any], path: str) -> dict[str, Any]:
    fields = {name: field for field in kind.fields for name in (field.name, field.json_name)}
    unknown = [name for name in given if name not in fields]
    if unknown:
        known = ", ".join(field.name for field in kind.fields) or "none"
        raise Mistake(f"{path}{unknown[0]} is no field of {kind.name}; its fields: {known}")
    return {name: _field(fields[name], value, f"{path}{name}") for name, value in given.items()}


def _field(field: FieldDescriptor, given: Any, path: str) -> Any:
    entry = field.message_type if field.message_type and field.message_type.GetOptions().map_entry else None
    if entry and isinstance(given, dict):
        values = entry.fields_by_name["value"]
        return {key: _value(values, value, f"{path}.{key}") for key, value in given.items()}
    if field.is_repeated and isinstance(given, list):
        return [_value(field, value, f"{path}[{at}]") for at, value in enumerate(given)]
    return _value(field, given, path)


def _value(field: FieldDescriptor, given: Any, path: str) -> Any:
    if field.enum_type is not None and isinstance(given, str):
        return _enum(field.enum_type, given, path)
    kind = field.message_type
    if kind is not None and kind.full_name == MASK and isinstance(given, str):
        return ",".join(_camel(name.strip()) for name in given.split(","))
    if kind is not None and isinstance(given, dict) and not kind.full_name.startswith(_KNOWN_TYPES):
        return _message(kind, given, f"{path}.")
    return given


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _enum(kind: EnumDescriptor, given: str, path: str) -> str:
    prefix = kind.values[0].name.removesuffix("UNSPECIFIED")
    wanted = given.upper().replace("-", "_")
    for value in kind.values:
        if wanted in (value.name, value.name.removeprefix(prefix)):
            return str(value.name)
    known = ", ".join(value.name.removeprefix(prefix).lower() for value in kind.values[1:])
    raise Mistake(f"{path}: {given} is none of {known}")
