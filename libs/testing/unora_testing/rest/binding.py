"""A method's `google.api.http`: from a request message to method, path, query and body, and from JSON to the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from google.api import annotations_pb2
from google.api.httpbody_pb2 import HttpBody
from google.protobuf import descriptor_pool, json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

VARIABLE: Final = re.compile(r"\{([a-z_.]+)\}")
VERBS: Final = ("get", "put", "post", "delete", "patch")
ABSENT: Final = "-"
"""In place of a path's variable that is not set: a path has no empty parts."""


class NoRouteError(LookupError):
    """The method is for services among themselves, which call it by gRPC."""


@dataclass(frozen=True)
class HttpRequest:
    """What goes over the wire."""

    verb: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes | None
    content_type: str | None


@dataclass(frozen=True)
class Parts:
    """Where the fields of a request go, with values as JSON has them. Fields that are not set are left out."""

    path: dict[str, Any]
    """The variables of the path."""
    query: dict[str, Any]
    """Fields of a field by `filter.kind`."""
    body: Any
    """None if the route takes no body."""


@dataclass(frozen=True)
class Binding:
    """The route of one method."""

    verb: str
    template: str
    body: str
    """`*`, the name of a field, or empty."""

    @property
    def variables(self) -> list[str]:
        """The fields of the request that stand in the path."""
        return VARIABLE.findall(self.template)

    def parts(self, message: Message) -> Parts:
        """What of a request message goes into the path, the query and the body."""
        values = json_format.MessageToDict(message, preserving_proto_field_name=True)
        path = {name: values.pop(name) for name in self.variables if name in values}
        if self.body == "*":
            return Parts(path, {}, values)
        body = values.pop(self.body, {}) if self.body else None
        return Parts(path, dict(_flat(values)), body)

    def request(self, message: Message) -> HttpRequest:
        """The call for a request message."""
        if isinstance(message, HttpBody):
            return HttpRequest(self.verb, self.template, (), message.data, message.content_type or "application/json")
        parts = self.parts(message)
        path = VARIABLE.sub(lambda found: quote(str(parts.path.get(found[1], ABSENT)), safe=""), self.template)
        query = tuple((name, text) for name, value in parts.query.items() for text in _texts(value))
        if parts.body is None:
            return HttpRequest(self.verb, path, query, None, None)
        return HttpRequest(self.verb, path, query, json.dumps(parts.body).encode(), "application/json")


@cache
def binding_of(path: str) -> Binding:
    """The route of a method by its name on the wire, `/unora.streak.v1.StreakService/CheckIn`. Raises NoRouteError."""
    service, _, name = path[1:].partition("/")
    method: MethodDescriptor = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    options = method.GetOptions()
    if not options.HasExtension(annotations_pb2.http):
        raise NoRouteError(f"{path} cannot be called over REST: the contract gives it no google.api.http")
    rule = options.Extensions[annotations_pb2.http]
    verb = next(verb for verb in VERBS if rule.HasField(verb))
    return Binding(verb.upper(), getattr(rule, verb), rule.body)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _texts(value: Any) -> list[str]:
    """A value as a query has it: a list is its parameter several times."""
    listed = value if isinstance(value, list) else [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in listed]
