"""The contract as a generator reads it: methods with their routes, and types with their comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
)
from unora.common.v1.options_pb2 import Access, Repeat
from unora.common.v1.options_pb2 import method as method_option
from unora_common.config import CONTEXTS

from unora_gateway.contract import Route, image, routes

FILE_MESSAGES, FILE_ENUMS, FILE_SERVICES, SERVICE_METHODS = 4, 5, 6, 2
NESTED_FIELDS, NESTED_MESSAGES, NESTED_ENUMS, ENUM_VALUES = 2, 3, 4, 2
"""Numbers of these fields in a descriptor, by which comments are found."""


@dataclass(frozen=True)
class Type:
    """A message or an enum, with the comments of itself and of its fields or values."""

    name: str
    """Such as `unora.identity.v1.Photo`."""
    descriptor: DescriptorProto | EnumDescriptorProto
    says: str
    members: dict[str, str]
    """The comment of each field or value."""


@dataclass(frozen=True)
class Method:
    """A method that apps may call."""

    route: Route
    says: str
    answer: str
    access: Access.ValueType
    suspended_allowed: bool
    keeps_answer: bool

    @property
    def tag(self) -> str:
        """Its context and service, `streak.StreakService`."""
        return f"{self.route.context}.{self.route.service.rpartition('.')[2]}"

    @property
    def request(self) -> str:
        """The full name of the request's type, as types are named here."""
        return self.route.request.lstrip(".")


@dataclass
class Contract:
    """All of it."""

    types: dict[str, Type] = field(default_factory=dict)
    methods: list[Method] = field(default_factory=list)
    services: dict[str, str] = field(default_factory=dict)
    """The comment of each service that has such methods, by the tag of its methods."""
    comments: dict[str, str] = field(default_factory=dict)
    """The comment of every method by its name, also of those that apps may not call: comments name each other."""

    def message(self, name: str) -> Type:
        """A message, by its full name."""
        found = self.types[name]
        assert isinstance(found.descriptor, DescriptorProto)
        return found


def read() -> Contract:
    """The contract, from the descriptors with their comments."""
    contract, by_path = Contract(), {route.path: route for route in routes()}
    for file in sorted(image().file, key=_place):
        said = _comments(file)
        for at, message in enumerate(file.message_type):
            contract.types |= {each.name: each for each in _messages(file.package, message, (FILE_MESSAGES, at), said)}
        for at, enum in enumerate(file.enum_type):
            each = _enum(file.package, enum, (FILE_ENUMS, at), said)
            contract.types[each.name] = each
        for at, service in enumerate(file.service):
            names = {
                each.name: said.get((FILE_SERVICES, at, SERVICE_METHODS, number), "")
                for number, each in enumerate(service.method)
            }
            contract.comments |= names
        for method, service_says in _methods(file, said, by_path):
            contract.methods.append(method)
            contract.services[method.tag] = service_says
    return contract


def _place(file: FileDescriptorProto) -> int:
    """The order of the contexts: it begins with sign-in."""
    context = file.package.split(".")[1] if file.package.startswith("unora.") else ""
    return CONTEXTS.index(context) if context in CONTEXTS else -1


Said = dict[tuple[int, ...], str]


def _comments(file: FileDescriptorProto) -> Said:
    """Each comment by the path of what it documents; its paragraphs are lines."""
    return {tuple(each.path): _paragraphs(each.leading_comments) for each in file.source_code_info.location}


def _paragraphs(comment: str) -> str:
    kept = "\n".join(line.strip() for line in comment.splitlines() if "buf:lint" not in line)
    kept = re.sub(r"\n(?=Errors:)", "\n\n", kept)
    return "\n\n".join(" ".join(each.split()) for each in kept.split("\n\n") if each.strip())


def _messages(within: str, message: DescriptorProto, path: tuple[int, ...], said: Said) -> Iterator[Type]:
    name = f"{within}.{message.name}"
    fields = {each.name: said.get((*path, NESTED_FIELDS, at), "") for at, each in enumerate(message.field)}
    yield Type(name, message, said.get(path, ""), fields)
    for at, nested in enumerate(message.nested_type):
        yield from _messages(name, nested, (*path, NESTED_MESSAGES, at), said)
    for at, enum in enumerate(message.enum_type):
        yield _enum(name, enum, (*path, NESTED_ENUMS, at), said)


def _enum(within: str, enum: EnumDescriptorProto, path: tuple[int, ...], said: Said) -> Type:
    values = {each.name: said.get((*path, ENUM_VALUES, at), "") for at, each in enumerate(enum.value)}
    return Type(f"{within}.{enum.name}", enum, said.get(path, ""), values)


def _methods(file: FileDescriptorProto, said: Said, by_path: Mapping[str, Route]) -> Iterator[tuple[Method, str]]:
    for at, service in enumerate(file.service):
        for number, method in enumerate(service.method):
            route = by_path.get(f"/{file.package}.{service.name}/{method.name}")
            if route is None:
                continue
            policy = method.options.Extensions[method_option]
            yield (
                Method(
                    route=route,
                    says=said.get((FILE_SERVICES, at, SERVICE_METHODS, number), ""),
                    answer=method.output_type.lstrip("."),
                    access=policy.access,
                    suspended_allowed=policy.suspended_allowed,
                    keeps_answer=policy.repeat == Repeat.REPEAT_KEPT_ANSWER,
                ),
                said.get((FILE_SERVICES, at), ""),
            )


def first_sentence(comment: str) -> str:
    """What a heading shows of a comment."""
    return re.split(r"(?<=[.;])(?:\s|$)", comment, maxsplit=1)[0].rstrip(".;")


def listed(words: Sequence[str]) -> str:
    """Names in backticks, with commas."""
    return ", ".join(f"`{word}`" for word in words)
