"""The streams of JetStream: one for the events of each context, one for what could not be handled.

`python -m unora_common.streams` creates them, as the administrator of NATS. Contexts may not create streams: through a
stream of its own a context could read all others.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import nats
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from unora_common.config import CONTEXTS, ConfigError, given

DEAD_LETTERS: Final = "dead_letters"
ANSWER_WITHIN: Final = 30.0
"""Seconds that NATS gets to accept the connection, and for each answer."""
MAX_AGE: Final = timedelta(days=7)
"""The outbox is the record. A stream holds only what consumers may not have read yet."""


def stream(context: str) -> str:
    """The stream that holds the events of a context."""
    return f"unora_{context}"


async def ensure_streams(url: str, contexts: Iterable[str], replicas: int = 1) -> list[str]:
    """Creates the missing streams, as the administrator in `url`; returns their names."""
    connection = await nats.connect(url, allow_reconnect=False, connect_timeout=ANSWER_WITHIN)
    made = []
    try:
        manager = connection.jetstream(timeout=ANSWER_WITHIN)
        wanted = {stream(context): f"unora.{context}.>" for context in contexts} | {DEAD_LETTERS: "dead.>"}
        for name, subjects in wanted.items():
            try:
                await manager.stream_info(name)
            except NotFoundError:
                # Dead letters wait for a replay; all other events can be published again from the outboxes.
                age = 0.0 if name == DEAD_LETTERS else MAX_AGE.total_seconds()
                await manager.add_stream(name=name, subjects=[subjects], max_age=age, num_replicas=replicas)
                made.append(name)
    finally:
        await connection.close()
    return made


def main(arguments: list[str] | None = None) -> int:
    """Creates the missing streams; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m unora_common.streams",
        description="Creates the streams of all contexts. UNORA_NATS_URL (or …_FILE) is the administrator's.",
    )
    parser.add_argument("--replicas", type=int, default=1, help="servers that hold each stream (default: 1)")
    options = parser.parse_args(arguments)
    try:
        url = given("UNORA_NATS_URL", os.environ)
        if not url:
            raise ConfigError("UNORA_NATS_URL is not set; it names the administrator of NATS")
        made = asyncio.run(ensure_streams(url, CONTEXTS, options.replicas))
    except (ConfigError, OSError, NatsError) as error:
        print(f"streams: {error}", file=sys.stderr)
        return 1
    print(f"streams: made {', '.join(made)}" if made else "streams: all are there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
