"""The contract as a person names it: its methods and its events, read from the descriptors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from google.protobuf import message_factory
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from unora_common.config import CONTEXTS
from unora_common.policies import MethodPolicy, policies_of
from unora_sdk.names import subject_of

from unora_local.keyboard.names import find, outer
from unora_local.mistakes import Mistake


@cache
def methods() -> dict[str, MethodPolicy]:
    """Every method by its full name, `unora.streak.v1.StreakService/CheckIn`."""
    return {
        policy.path.removeprefix("/"): policy
        for file in _files("_service_pb2")
        for service in file.services_by_name.values()
        for policy in policies_of(service)
    }


@cache
def events() -> dict[str, type[Message]]:
    """Every event by its full name, `unora.streak.v1.CheckedIn`."""
    found = [message for file in _files("events_pb2") for message in file.message_types_by_name.values()]
    return {message.full_name: message_factory.GetMessageClass(message) for message in found}


def context_of(policy: MethodPolicy) -> str:
    """The context that serves a method."""
    return policy.path.split(".")[1]


def method_named(asked: str, caller: str | None = None) -> MethodPolicy:
    """The method that a person means. Of several, the one that `caller` may call, or else a gateway.

    Raises Mistake if there is none, or more than one.
    """
    found = find("method", asked, methods())
    if len(found) > 1:
        fits = {name: each for name, each in found.items() if _for(each, caller)}
        found = fits if len(fits) == 1 else found
    if len(found) > 1:
        raise Mistake(f"{asked} can be {', '.join(map(outer, found))}")
    return next(iter(found.values()))


def _for(policy: MethodPolicy, caller: str | None) -> bool:
    return policy.open_to_gateways if caller is None else caller in policy.callers


def event_named(asked: str) -> type[Message]:
    """The event that a person means: `CheckedIn`, `streak.checked_in` or its subject. Raises Mistake."""
    found = find("event", asked, events())
    if len(found) > 1:
        raise Mistake(f"{asked} can be {', '.join(map(outer, found))}")
    return next(iter(found.values()))


@cache
def by_subject() -> dict[str, type[Message]]:
    """Every event by its subject."""
    return {subject_of(kind): kind for kind in events().values()}


def _files(end: str) -> Iterator[FileDescriptor]:
    for context in CONTEXTS:
        package = import_module(f"unora.{context}.v1")
        for name in dict.fromkeys(sorted(module.name for module in iter_modules(package.__path__))):
            if name.endswith(end):
                yield import_module(f"{package.__name__}.{name}").DESCRIPTOR
