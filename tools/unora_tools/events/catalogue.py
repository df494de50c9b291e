"""Every event of the contract: its subject, its fields, when it is published, who acts on it, and an example."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor_pb2 import DescriptorProto
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service
from unora_common.handler_marks import Consumes
from unora_gateway.contract import image
from unora_gateway.openapi.contract import Contract, Type, read
from unora_local.keyboard.contract import by_subject
from unora_local.nats_config import services_of
from unora_local.subscribers import Subscriber
from unora_sdk.names import stream

EXAMPLES: Final = Path(__file__).with_name("examples.json")
"""Events that were published while the demo played, by the full name of their type."""
SYNTAX: Final = (12,)
"""The path of `syntax` in a file, whose comment is about the file."""


class Consumer(NamedTuple):
    """A method that acts on an event."""

    context: str
    event: str
    method: str


@dataclass(frozen=True)
class Event:
    """An event of the contract."""

    context: str
    subject: str
    message: Type
    consumers: tuple[Consumer, ...]
    """Methods of other contexts, and of its own; without the audit log, which records all events."""

    @property
    def type(self) -> str:
        """The full name of its message, such as `unora.streak.v1.CheckedIn`."""
        return self.message.name

    @property
    def name(self) -> str:
        """Its short name, such as `CheckedIn`."""
        return self.type.rpartition(".")[2]

    @property
    def stream(self) -> str:
        """The stream of JetStream that holds it."""
        return stream(self.context)

    @property
    def aggregate(self) -> str:
        """What the event is about, whose id is its first field. Where the comment names none it is the streak."""
        named = re.search(r"Aggregate: (?:the )?([^.]+)\.", self.message.says)
        return named[1] if named else "streak"

    @property
    def descriptor(self) -> DescriptorProto:
        """The descriptor of its message."""
        assert isinstance(self.message.descriptor, DescriptorProto)
        return self.message.descriptor

    @property
    def is_for_subscribers(self) -> bool:
        """Whether a subscriber outside Unora may consume it: the permissions of NATS refuse some (MA-10)."""
        try:
            services_of(Subscriber("subscriber", "", (self.subject,)))
        except ValueError:
            return False
        return True


@cache
def contract() -> Contract:
    """The contract, with its comments."""
    return read()


@cache
def events() -> tuple[Event, ...]:
    """Every event, by context, in the order of the contract."""
    acting = list(consumers())
    return tuple(
        Event(
            kind.DESCRIPTOR.full_name.split(".")[1],
            subject,
            contract().message(kind.DESCRIPTOR.full_name),
            tuple(each for each in acting if each.event == kind.DESCRIPTOR.full_name),
        )
        for subject, kind in by_subject().items()
    )


def events_of(context: str) -> list[Event]:
    """The events of one context."""
    return [each for each in events() if each.context == context]


def consumers() -> Iterator[Consumer]:
    """Every method that acts on an event, without the audit log, which records all events."""
    for context in CONTEXTS:
        for part in load_service(context).consumers:
            for name, method in vars(part).items():
                consumes = getattr(method, "consumes", None)
                if isinstance(consumes, Consumes) and consumes.event is not None:
                    yield Consumer(context, consumes.event.DESCRIPTOR.full_name, name)


def about(context: str) -> str:
    """What the contract says of all events of a context, as one line."""
    (file,) = (each for each in image().file if each.name == f"unora/{context}/v1/events.proto")
    said = {tuple(each.path): each.leading_comments for each in file.source_code_info.location}
    return " ".join(said[SYNTAX].split())


def examples() -> dict[str, Any]:
    """The recorded events; none if there is no file yet."""
    found: dict[str, Any] = json.loads(EXAMPLES.read_text()) if EXAMPLES.exists() else {}
    return found
