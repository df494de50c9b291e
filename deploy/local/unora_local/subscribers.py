"""Subscribers that are not Unora's: who they are, and which events each may consume; a file of the stack keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from unora_common.streams import Durable
from unora_sdk.names import durable, stream

from unora_local.keys import write_private


@dataclass(frozen=True)
class Subscriber:
    """A user of NATS, and the subjects of the events that it may consume, each by a durable consumer."""

    name: str
    password: str
    subjects: tuple[str, ...]
    """None while it is being removed."""

    def durables(self) -> list[Durable]:
        """Its consumers. Unlike a context's, they have no dead letters: what fails is the subscriber's own matter."""
        return [
            Durable(stream(subject.split(".")[1]), durable(self.name, subject), subject) for subject in self.subjects
        ]


def read(file: Path) -> list[Subscriber]:
    """The subscribers; none if there is no file."""
    if not file.exists():
        return []
    return [Subscriber(**(row | {"subjects": tuple(row["subjects"])})) for row in json.loads(file.read_bytes())]


def write(file: Path, subscribers: Iterable[Subscriber]) -> None:
    """Keep the subscribers; only the owner can read their passwords."""
    write_private(file, json.dumps([asdict(each) for each in subscribers], indent=1).encode() + b"\n")
