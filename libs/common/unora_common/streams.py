"""The streams of JetStream, and the durable consumers on them: one stream for the events of each context, one for what
could not be handled.

`python -m unora_common.streams` makes them, as the administrator of NATS; with `--subscriber` it makes the consumers of
a subscriber that is no context. Contexts make neither: through a stream of its own a context could read all others, and
a consumer may deliver into another context's stream.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig
from unora_sdk.again import again_subject
from unora_sdk.environment import ConfigError, given
from unora_sdk.names import context_of, durable, stream
from unora_sdk.nats_client import connect

from unora_common.config import CONTEXTS
from unora_common.declarations import consumed_subjects
from unora_common.event_names import UnknownEventError, event_subject
from unora_common.stream_settings import (
    DEAD_LETTERS,
    UNLIMITED,
    Sizes,
    dead_letters_stream,
    ensure_stream,
    events_stream,
)

# What each context reads: {context: filter subjects}.
Reads = Mapping[str, Iterable[str]]

ANSWER_WITHIN: Final = 30.0
"""Seconds that NATS gets to accept the connection, and for each answer."""
REPLAY_ACK_SECONDS: Final = 30.0
MAX_ACK_PENDING: Final = 1000
MAX_ACK_PENDING_OUTSIDE: Final = 500
"""How many events a subscriber that is not Unora's may hold at once without an acknowledgement. NATS remembers each."""
SUBSCRIBER: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
"""Names that a subscriber can have."""


class Durable(NamedTuple):
    """A durable consumer: which stream it reads, its name, and which subject."""

    stream: str
    name: str
    subject: str

    @property
    def filters(self) -> list[str]:
        """What it gets: its subject, and what is published again to it alone."""
        return [self.subject] if self.stream == DEAD_LETTERS else [self.subject, again_subject(self.subject, self.name)]


def read_by(name: str) -> str:
    """What the consumer of this name reads: the name of an event, such as `checked_in`, or `all_<context>`."""
    return name.partition("__")[2]


def is_all(name: str) -> bool:
    """Whether the consumer of this name reads all events of a context."""
    return read_by(name) in {f"all_{context}" for context in CONTEXTS}


def is_of(name: str, reader: str) -> bool:
    """Whether the consumer of this name is that of a context or subscriber."""
    return name.partition("__")[0] == reader


def is_own(name: str) -> bool:
    """Whether a consumer is a context's. Unora waits for these; others are their subscribers' own matter."""
    return any(is_of(name, context) for context in CONTEXTS)


def replay_of(name: str) -> str:
    """The name of the consumer that reads the dead letters of a consumer."""
    return f"{name}__replay"


def durables(context: str, subjects: Iterable[str]) -> Iterator[Durable]:
    """The consumers of a context that reads these subjects: of each its events, and its dead letters for a replay."""
    for subject in sorted(subjects):
        name = durable(context, subject)
        yield Durable(stream(subject.split(".")[1]), name, subject)
        yield Durable(DEAD_LETTERS, replay_of(name), f"dead.{context}.{name}")


async def ensure_streams(
    admin: Client, contexts: Iterable[str], reads: Reads, replicas: int = 1, sizes: Sizes = UNLIMITED
) -> list[str]:
    """Makes the missing streams and consumers, and brings the others to these settings, as the administrator of NATS.

    Returns the names of the streams that were made. Consumers of contexts that are not among `contexts` are left out.
    """
    manager = admin.jetstream(timeout=ANSWER_WITHIN)
    wanted = [events_stream(context, sizes) for context in contexts] + [dead_letters_stream(sizes)]
    made = [config.name for config in wanted if config.name and await ensure_stream(manager, config, replicas)]
    names = {config.name for config in wanted}
    found = [each for context, subjects in reads.items() for each in durables(context, subjects)]
    await ensure_consumers(admin, [each for each in found if each.stream in names])
    return made


async def ensure_consumers(admin: Client, wanted: Iterable[Durable]) -> None:
    """Makes consumers that are missing, and brings the others to these settings, as the administrator of NATS."""
    manager, seconds = admin.jetstream(timeout=ANSWER_WITHIN), redelivery_seconds()
    await asyncio.gather(*(manager.add_consumer(each.stream, _consumer(each, seconds)) for each in wanted))


def redelivery_seconds() -> float:
    """Seconds until an event is delivered again whose consumer died before it acknowledged or refused it."""
    text = given("UNORA_REDELIVERY_SECONDS", os.environ) or "30"
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"UNORA_REDELIVERY_SECONDS cannot be read: {error}") from None


def _consumer(each: Durable, ack_seconds: float) -> ConsumerConfig:
    replay = each.stream == DEAD_LETTERS
    return ConsumerConfig(
        name=each.name,
        durable_name=each.name,
        filter_subjects=each.filters,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=REPLAY_ACK_SECONDS if replay else ack_seconds,
        max_ack_pending=MAX_ACK_PENDING if is_own(each.name) else MAX_ACK_PENDING_OUTSIDE,
    )


async def _run(url: str, tls: tuple[Path, Path, Path], replicas: int, sizes: Sizes, outside: list[Durable]) -> str:
    """Makes the consumers of a subscriber, if there are any, else what contexts need. Returns what to say."""
    admin = await connect(url, *tls, allow_reconnect=False, connect_timeout=ANSWER_WITHIN)
    try:
        if outside:
            await ensure_consumers(admin, outside)
            return f"UNORA_NATS_CONSUMERS='{' '.join(f'{each.stream}/{each.name}' for each in outside)}'"
        made = await ensure_streams(admin, CONTEXTS, consumed_subjects(CONTEXTS), replicas, sizes)
        return f"streams: made {', '.join(made)}" if made else "streams: all are there"
    finally:
        await admin.close()


def _outside(name: str | None, events: list[str]) -> list[Durable]:
    """The consumers of a subscriber that is not Unora's; none without a name. Raises ConfigError."""
    if (name is None) != (not events):
        raise ConfigError("the events of a subscriber are named as --subscriber NAME EVENT…")
    if name is None:
        return []
    if name in CONTEXTS or not SUBSCRIBER.fullmatch(name):
        raise ConfigError(f"{name} is no name of a subscriber: small letters, digits and -, and no context's name")
    subjects = sorted({_subject(event) for event in events})
    return [Durable(stream(context_of(each)), durable(name, each), each) for each in subjects]


def _subject(event: str) -> str:
    """The subject of an event by its name, such as CheckedIn or streak.CheckedIn. Raises ConfigError."""
    found: list[str] = []
    for context in CONTEXTS:
        with suppress(UnknownEventError):
            found.append(event_subject(context, event))
    if len(found) != 1:
        raise ConfigError(f"{event} names {', '.join(found) or 'no event'}; docs/events.md lists all")
    return found[0]


def main(arguments: list[str] | None = None) -> int:
    """Makes what is missing; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m unora_common.streams",
        description="Makes the streams and consumers of all contexts. UNORA_NATS_URL (or …_FILE) is the "
        "administrator's; UNORA_TLS_CA, UNORA_TLS_CERT and UNORA_TLS_KEY name the certificate to come with.",
    )
    parser.add_argument("--replicas", type=int, default=1, help="servers that hold each stream (default: 1)")
    for name, what in (("--megabytes", "each stream of events"), ("--dead-letter-megabytes", "the dead letters")):
        parser.add_argument(
            name, type=_megabytes, default=-1, metavar="N", help=f"the most of {what} (default: no limit)"
        )
    parser.add_argument(
        "--subscriber", metavar="NAME", help="only make the consumers of this subscriber, which is no context"
    )
    parser.add_argument("events", nargs="*", metavar="EVENT", help="what the subscriber consumes, such as CheckedIn")
    options = parser.parse_args(arguments)
    try:
        outside = _outside(options.subscriber, options.events)
        url, ca, cert, key = (_needed(f"UNORA_{name}") for name in ("NATS_URL", "TLS_CA", "TLS_CERT", "TLS_KEY"))
        sizes = Sizes(options.megabytes, options.dead_letter_megabytes)
        said = asyncio.run(_run(url, (Path(ca), Path(cert), Path(key)), options.replicas, sizes, outside))
    except (ConfigError, OSError, NatsError) as error:
        print(f"streams: {error}", file=sys.stderr)
        return 1
    print(said)
    return 0


def _megabytes(text: str) -> int:
    """Bytes of so many megabytes (2^20)."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number * 2**20


def _needed(name: str) -> str:
    value = given(name, os.environ)
    if not value:
        raise ConfigError(f"{name} is not set; the administrator of NATS needs it")
    return value


if __name__ == "__main__":
    sys.exit(main())
