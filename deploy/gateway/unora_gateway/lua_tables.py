"""The tables of the script: what the contract says of requests, and what the gateway's refusals say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
)
from google.rpc import code_pb2

from unora_gateway.contract import Route
from unora_gateway.policy import Policy
from unora_gateway.refusals import HTTP, Said

Node = dict[str, Any]
PASSED_HEADERS: Final = (
    *(":method", ":path", ":authority", ":scheme", ":protocol", "content-type", "content-length", "transfer-encoding"),
    "x-forwarded-proto",  # Envoy's own; without it no route is found. It is removed before services.
    *("te", "grpc-encoding", "grpc-accept-encoding", "grpc-timeout", "x-grpc-web", "accept", "origin"),
    "authorization",
    *("stripe-signature", "unora-gov-id-signature", "x-twilio-signature"),
)
"""The headers that pass; docs/interfaces.md says which of them services read."""
OF_STATUS: Final = {
    400: "REQUEST_MALFORMED",
    404: "PATH_UNKNOWN",
    408: "REQUEST_SLOW",
    413: "BODY_TOO_LARGE",
    415: "MEDIA_TYPE_UNSUPPORTED",
    429: "TOO_MANY_CALLS",
    431: "HEADERS_TOO_LARGE",
    502: "DEPENDENCY_UNAVAILABLE",
    503: "DEPENDENCY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""The reason of a refusal of Envoy's own, by the HTTP status that it has for it."""
_SCALARS: Final = {
    FieldDescriptorProto.TYPE_STRING: "s",
    FieldDescriptorProto.TYPE_BYTES: "y",
    FieldDescriptorProto.TYPE_BOOL: "b",
    FieldDescriptorProto.TYPE_INT32: "i",
    FieldDescriptorProto.TYPE_SINT32: "i",
    FieldDescriptorProto.TYPE_SFIXED32: "i",
    FieldDescriptorProto.TYPE_INT64: "l",
    FieldDescriptorProto.TYPE_SINT64: "l",
    FieldDescriptorProto.TYPE_SFIXED64: "l",
    FieldDescriptorProto.TYPE_FLOAT: "d",
    FieldDescriptorProto.TYPE_DOUBLE: "d",
    FieldDescriptorProto.TYPE_ENUM: "e",
    FieldDescriptorProto.TYPE_MESSAGE: "m",
}
_AS_TEXT: Final = frozenset({".google.protobuf.Duration", ".google.protobuf.FieldMask"})
"""Messages that JSON writes as text."""


def tables(
    files: FileDescriptorSet, routes: Sequence[Route], refusals: Iterable[Said], pages: Iterable[str], policy: Policy
) -> dict[str, Any]:
    """The tables by their names in the script."""
    types = _Types(files)
    tree = route_tree(routes, types)
    return {
        "TYPES": types.messages,
        "ENUMS": types.enums,
        "ROUTES": tree,
        "METHODS": {route.path: True for route in routes},
        "PAGES": dict.fromkeys(pages, True),
        "PASSED_HEADERS": dict.fromkeys(PASSED_HEADERS, True),
        "REFUSALS": {each.reason: _said(each) for each in refusals},
        "OF_STATUS": OF_STATUS,
        "MILLISECONDS": {
            "default": round(policy.call_seconds * 1000),
            "longest": round(policy.longest_call_seconds * 1000),
        },
        "CODES": {number: name for name, number in code_pb2.Code.items()},
        "HTTP_OF": {str(code_pb2.Code.Value(name)): status for name, status in _http_of().items()},
    }


def route_tree(routes: Iterable[Route], types: _Types) -> Node:
    """The routes by the parts of their paths. Raises ValueError for two routes that take the same requests."""
    root: Node = {}
    for route in routes:
        node = root
        variables = []
        path, _, custom = route.template.partition(":") if ":" in route.template else (route.template, "", "")
        for part in path.removeprefix("/").split("/"):
            if part.startswith("{"):
                if "=" in part or "." in part or "*" in part:
                    raise ValueError(f"{route.path}: {part} is a variable of a kind that the gateway does not serve")
                variables.append(types.variable(route.request, part.strip("{}")))
                node = node.setdefault("variable", {})
            else:
                node = node.setdefault("fixed", {}).setdefault(part, {})
        verbs = node.setdefault("verbs", {}).setdefault(custom, {})
        if route.verb in verbs:
            raise ValueError(f"{route.path} has the path of another method: {route.verb} {route.template}")
        verbs[route.verb] = _judged(route, types, variables)
    return root


def _judged(route: Route, types: _Types, variables: list[Any]) -> Node:
    if route.takes_bytes:
        return {"raw": True, "variables": variables}
    kind = types.message(route.request)
    return {"variables": variables, "body" if route.body else "query": kind}


def _said(said: Said) -> dict[str, Any]:
    return {
        "code": said.code,
        "number": said.number,
        "http": said.http,
        "sentence": said.sentence,
        "metadata": said.metadata,
        "details": said.details,
    }


def _http_of() -> Mapping[str, int]:
    """The HTTP status for which Envoy has a code of gRPC, when it refuses itself."""
    ours = {"UNIMPLEMENTED": 404, "UNKNOWN": 500, "INTERNAL": 400, "PERMISSION_DENIED": 403, "UNAUTHENTICATED": 401}
    return HTTP | ours


class _Types:
    """The messages and enums of requests, each under a number; only those that a route needs."""

    def __init__(self, files: FileDescriptorSet) -> None:
        self._messages: dict[str, DescriptorProto] = {}
        self._enums: dict[str, EnumDescriptorProto] = {}
        for file in files.file:
            scope = f".{file.package}" if file.package else ""
            for enum in file.enum_type:
                self._enums[f"{scope}.{enum.name}"] = enum
            for message in file.message_type:
                self._add(scope, message)
        self._numbers: dict[str, int] = {}
        self.messages: dict[int, dict[str, Any]] = {}
        self.enums: dict[int, dict[str, bool]] = {}

    def message(self, name: str) -> int:
        """The number of a message."""
        if name not in self._numbers:
            self._numbers[name] = number = len(self._numbers) + 1
            fields = self.messages[number] = {}
            for field in self._messages[name].field:
                fields[field.name] = fields[field.json_name] = [
                    *self._field(field),
                    field.name,
                    self._group(name, field),
                ]
        return self._numbers[name]

    def variable(self, request: str, name: str) -> list[Any]:
        """A variable of a path: both names of its field, and what it holds."""
        (field,) = (field for field in self._messages[request].field if field.name == name)
        return [field.name, field.json_name, self._field(field)]

    def _add(self, scope: str, message: DescriptorProto) -> None:
        name = f"{scope}.{message.name}"
        self._messages[name] = message
        for enum in message.enum_type:
            self._enums[f"{name}.{enum.name}"] = enum
        for nested in message.nested_type:
            self._add(name, nested)

    def _group(self, message: str, field: FieldDescriptorProto) -> str | bool:
        """The fields of which one may be given: a name that no field has, or False."""
        if not field.HasField("oneof_index") or field.proto3_optional:
            return False
        return f"oneof {self._messages[message].oneof_decl[field.oneof_index].name}"

    def _field(self, field: FieldDescriptorProto) -> list[Any]:
        """Its kind, whether it is a list, and the number of its message or enum."""
        is_list = field.label == FieldDescriptorProto.LABEL_REPEATED
        kind = _SCALARS.get(field.type)
        if kind is None:
            raise ValueError(f"{field.name} is of a kind whose bounds the gateway does not know, such as uint32")
        if kind == "e":
            return ["e", is_list, self._enum(field.type_name)]
        if kind != "m":
            return [kind, is_list, False]
        if field.type_name == ".google.protobuf.Timestamp":
            return ["T", is_list, False]
        if field.type_name in _AS_TEXT:
            return ["t", is_list, False]
        if field.type_name.startswith(".google.protobuf.") or self._messages[field.type_name].options.map_entry:
            return ["x", False, False]
        return ["m", is_list, self.message(field.type_name)]

    def _enum(self, name: str) -> int:
        if name not in self._numbers:
            self._numbers[name] = number = len(self._numbers) + 1
            values = self._enums[name].value
            self.enums[number] = {text: True for value in values for text in (value.name.upper(), str(value.number))}
        return self._numbers[name]


Types = _Types


def lua(value: Any) -> str:
    """A value as Lua's source."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(map(_letter, value)) + '"'
    if isinstance(value, Mapping):
        return "{" + ",".join(f"[{lua(key)}]={lua(each)}" for key, each in value.items()) + "}"
    return "{" + ",".join(map(lua, value)) + "}"


def _letter(letter: str) -> str:
    if letter in '"\\' or ord(letter) < 32:
        return f"\\{ord(letter):03d}"
    return letter
