"""Makes a user of NATS that may consume certain events, and nothing else, on a stack that runs."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from nats.js.manager import JetStreamManager
from unora_common import declarations, streams
from unora_common.config import CONTEXTS
from unora_sdk.names import inbox, stream, subject_of
from unora_sdk.nats_client import connect

from unora_local import nats_config, nats_reload, subscribers, tls
from unora_local.keyboard import contract
from unora_local.keys import exclusive, write_private
from unora_local.layout import SUBSCRIBERS, Layout
from unora_local.mistakes import Mistake
from unora_local.nats import Nats
from unora_local.progress import table
from unora_local.run_folder import RunFolder
from unora_local.subscribers import Subscriber
from unora_local.tls import Certificate

TAKEN_OVER_WITHIN: Final = 30.0
"""Seconds for NATS to make the consumers, and again to let the subscriber in."""
ASKED_WITHIN: Final = 2.0
POLL: Final = 0.5
"""Seconds between two reloads of NATS, each of which needs a moment to take effect."""
RESERVED: Final = {*CONTEXTS, *tls.CALLERS, *tls.NATS, *tls.NO_CALLERS, nats_config.ADMIN, nats_config.ACCOUNT, "ca"}
"""Names that mean something else to NATS or to the services. `chat` and `notifier` are subscribers like others."""


async def subscribe(folder: RunFolder, name: str, asked: Sequence[str]) -> str:
    """Let `name` consume exactly these events from now on; without an event take the user away. The server takes it
    over while it runs. Returns what to say; `NAME.env` in the folder `subscribers` has the credentials.

    Raises Mistake for a name or an event that cannot be, and for interests, which only two contexts read (MA-10).
    """
    check_name(name)
    events = tuple(subject_of(contract.event_named(each)) for each in dict.fromkeys(asked))
    async with exclusive(folder.path / SUBSCRIBERS):
        return await _subscribe(folder, name, events)


async def _subscribe(folder: RunFolder, name: str, events: tuple[str, ...]) -> str:
    """Each step may be taken again, so that the command is repeated if it was ended half-way. Therefore the file of
    subscribers is written first, and forgets one who was removed last.
    """
    file = folder.path / SUBSCRIBERS
    others = {each.name: each for each in subscribers.read(file)}
    before = others.pop(name, None)
    if not events and before is None:
        raise Mistake(f"there is no subscriber {name}; name the events that it is to consume")
    after = Subscriber(name, before.password if before else secrets.token_hex(20), events)
    try:
        nats_config.services_of(after)
    except ValueError as error:
        raise Mistake(str(error)) from None
    subscribers.write(file, [*others.values(), after])
    nats = Layout(folder, CONTEXTS, running=True).nats(declarations.consumed_subjects(CONTEXTS))
    await _take_over(folder, nats, after)
    own = tls.ensure(folder.path / "tls", [name])[name]
    await _wait_until(folder, nats, after, own, has_access=bool(events))
    if events:
        _keep(folder, nats, after, own)
        return _describe(folder, after)
    credentials(folder, name).unlink(missing_ok=True)
    subscribers.write(file, others.values())
    return f"{name} may consume nothing any more"


def check_name(name: str) -> None:
    """Raise Mistake for a name that a subscriber cannot have."""
    if not streams.SUBSCRIBER.fullmatch(name):
        raise Mistake(f"{name} is no name: small letters, digits and -, at most 31, a letter first")
    if name in RESERVED:
        raise Mistake(f"{name} is a name of Unora's own; choose another")


async def _take_over(folder: RunFolder, nats: Nats, subscriber: Subscriber) -> None:
    nats.configure()
    end = time.monotonic() + TAKEN_OVER_WITHIN
    while error := await _make_consumers(nats, subscriber):
        if time.monotonic() > end:
            raise Mistake(f"NATS does not make the consumers: {error}; see {nats.log}, and run this command again")
        await asyncio.sleep(POLL)
    await _reload(folder, nats)


async def _make_consumers(nats: Nats, subscriber: Subscriber) -> Exception | None:
    """Make its consumers, and delete those of before. Returns why it did not work: while NATS loads the change of an
    earlier command, it closes connections and does not answer.
    """
    try:
        await nats.make_consumers()
        admin = await nats.connect(nats_config.ADMIN, nats.administrator)
        try:
            await _delete_others(admin.jetstream(timeout=streams.ANSWER_WITHIN), subscriber)
        finally:
            await admin.close()
    except (NatsError, OSError) as error:
        return error
    return None


async def _delete_others(manager: JetStreamManager, subscriber: Subscriber) -> None:
    """Delete the consumers that the subscriber had before. NATS is asked for them: an earlier run may have ended
    half-way.
    """
    wanted = {each.name for each in subscriber.durables()}
    for context in CONTEXTS:
        for info in await manager.consumers_info(stream(context)):
            if info.name.partition("__")[0] == subscriber.name and info.name not in wanted:
                with suppress(NotFoundError):
                    await manager.delete_consumer(info.stream_name, info.name)


async def _reload(folder: RunFolder, nats: Nats) -> None:
    (server,) = (row for row in folder.rows() if row.name == "nats")
    try:
        await nats_reload.reload(server.pid, nats.log)
    except nats_reload.ReloadError as error:
        raise Mistake(str(error)) from None


async def _wait_until(
    folder: RunFolder, nats: Nats, subscriber: Subscriber, own: Certificate, *, has_access: bool
) -> None:
    """Return when the server answers the subscriber about each of its consumers, or no longer accepts it."""
    end = time.monotonic() + TAKEN_OVER_WITHIN
    while await _has_access(nats.url_of(subscriber), subscriber, own) != has_access:
        if time.monotonic() > end:
            raise Mistake(f"NATS did not take {subscriber.name} over within {TAKEN_OVER_WITHIN:.0f} s; see {nats.log}")
        await asyncio.sleep(POLL)
        # The imports of an account that a reload has brought lead nowhere until the next one.
        await _reload(folder, nats)


async def _has_access(url: str, subscriber: Subscriber, own: Certificate) -> bool:
    try:
        client = await connect(
            url,
            *(own.ca, own.cert, own.key),
            allow_reconnect=False,
            connect_timeout=ASKED_WITHIN,
            inbox_prefix=inbox(subscriber.name),
            error_cb=_ignore,  # without access yet: the library would print it
        )
    except (NatsError, OSError):
        return False
    try:
        for each in subscriber.durables():
            await client.jetstream(timeout=ASKED_WITHIN).consumer_info(each.stream, each.name)
    except NatsError:
        return False
    finally:
        await client.close()
    return True


async def _ignore(error: Exception) -> None:
    pass


def credentials(folder: RunFolder, name: str) -> Path:
    """The file with the variables of a subscriber."""
    return folder.path / "subscribers" / f"{name}.env"


def _keep(folder: RunFolder, nats: Nats, subscriber: Subscriber, own: Certificate) -> None:
    consumers = " ".join(f"{each.stream}/{each.name}" for each in subscriber.durables())
    values = {
        "UNORA_NATS_URL": nats.url_of(subscriber),
        "UNORA_NATS_INBOX": inbox(subscriber.name),
        "UNORA_NATS_CONSUMERS": consumers,
        "UNORA_TLS_CA": str(own.ca),
        "UNORA_TLS_CERT": str(own.cert),
        "UNORA_TLS_KEY": str(own.key),
    }
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    write_private(credentials(folder, subscriber.name), text.encode())


def _describe(folder: RunFolder, subscriber: Subscriber) -> str:
    rows = [(each.subject, each.stream, each.name) for each in subscriber.durables()]
    return (
        f"{subscriber.name} may consume:\n{table(('event', 'stream', 'consumer'), rows)}\n"
        f"Its address, password, certificate and inbox are in {credentials(folder, subscriber.name)}"
    )
