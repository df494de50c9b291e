"""The names by which a person calls an event."""

from __future__ import annotations

from importlib import import_module

from unora_sdk.names import subject_of


def event_names(context: str) -> list[str]:
    """The names of the events that a context emits, such as `CheckedIn`."""
    module = import_module(f"unora.{context}.v1.events_pb2")
    types = module.DESCRIPTOR.message_types_by_name
    return sorted(name for name, found in types.items() if "version" in found.fields_by_name)


class UnknownEventError(ValueError):
    """The contract has no such event; the text lists those that there are."""


def event_subject(context: str, name: str) -> str:
    """The subject of an event of the context, by its name (`CheckedIn`, `checked_in`, `streak.CheckedIn`) or its
    subject. Raises UnknownEventError.
    """
    module = import_module(f"unora.{context}.v1.events_pb2")
    found = {each: subject_of(getattr(module, each)) for each in module.DESCRIPTOR.message_types_by_name}
    before, _, last = name.rpartition(".")
    for each, subject in found.items():
        if before in ("", context, f"unora.{context}.v1") and last in (each, subject.rpartition(".")[2]):
            return subject
    raise UnknownEventError(f"{context} has no event {name}; it has {', '.join(sorted(found))}")
