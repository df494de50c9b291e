"""How the streams of JetStream are set up: one for the events of each context, one for dead letters."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from nats.js import JetStreamManager
from nats.js.api import DiscardPolicy, StreamConfig
from nats.js.errors import NotFoundError
from unora_sdk.names import stream

from unora_common.config import STREAM_DAYS

DEAD_LETTERS: Final = "dead_letters"
MAX_AGE: Final = timedelta(days=STREAM_DAYS)
"""The outbox is the record. A stream holds only what consumers may not have read yet."""
MAX_EVENT: Final = 512 * 1024
"""Bytes of an event with its headers. NATS takes messages of twice that: a dead letter has room for its own headers."""


class Sizes(NamedTuple):
    """The most bytes that a stream holds on each server; -1 is no limit."""

    events: int = -1
    """Of each stream of events. When it is full the oldest events go, which its context's outbox still has."""
    dead_letters: int = -1
    """When that stream is full no letter is taken: the events stay with their consumers, and none is lost."""


UNLIMITED: Final = Sizes()


def events_stream(context: str, sizes: Sizes) -> StreamConfig:
    """The stream of a context's events: the outbox is the record, and fills the stream again if it has to."""
    return StreamConfig(
        name=stream(context),
        subjects=[f"unora.{context}.>"],
        max_age=MAX_AGE.total_seconds(),
        max_msg_size=MAX_EVENT,
        max_bytes=sizes.events,
        discard=DiscardPolicy.OLD,
    )


def dead_letters_stream(sizes: Sizes) -> StreamConfig:
    """The stream of dead letters, which wait for a replay without limit of time."""
    return StreamConfig(
        name=DEAD_LETTERS,
        subjects=["dead.>"],
        max_age=0.0,
        max_bytes=sizes.dead_letters,
        discard=DiscardPolicy.NEW,
    )


async def ensure_stream(manager: JetStreamManager, config: StreamConfig, replicas: int) -> bool:
    """Makes a stream, or brings the one that is there to these settings, but for its replicas. Whether it was made."""
    assert config.name is not None
    try:
        found = (await manager.stream_info(config.name)).config
    except NotFoundError:
        await manager.add_stream(config.evolve(num_replicas=replicas))
        return True
    settled = {name: getattr(config, name) for name in ("max_msg_size", "max_bytes", "discard")}
    if any((getattr(found, name) or -1) != (value or -1) for name, value in settled.items()):
        await manager.update_stream(found.evolve(**settled))
    return False
