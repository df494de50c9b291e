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
class Binding:
    """The route of one method."""

    verb: str
    template: str
    body: str
    """`*`, the name of a field, or empty."""

    def request(self, message: Message) -> HttpRequest:
        """The call for a request message. Fields that are not set are left out."""
        if isinstance(message, HttpBody):
            return HttpRequest(self.verb, self.template, (), message.data, message.content_type or "application/json")
        values = json_format.MessageToDict(message, preserving_proto_field_name=True)
        path = VARIABLE.sub(lambda found: quote(str(values.pop(found[1], ABSENT)), safe=""), self.template)
        if not self.body:
            return HttpRequest(self.verb, path, tuple(_flat(values)), None, None)
        body = values if self.body == "*" else values.pop(self.body, {})
        query = () if self.body == "*" else tuple(_flat(values))
        return HttpRequest(self.verb, path, query, json.dumps(body).encode(), "application/json")


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


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            for each in value if isinstance(value, list) else [value]:
                yield f"{prefix}{name}", str(each).lower() if isinstance(each, bool) else str(each)
