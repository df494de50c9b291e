"""Makes a user of NATS that may consume certain events, and nothing else, on a stack that runs."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shlex
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from unora_common import declarations
from unora_common.config import CONTEXTS
from unora_common.streams import ANSWER_WITHIN, Durable
from unora_sdk.names import inbox, subject_of
from unora_sdk.nats_client import connect

from unora_local import nats_config, subscribers, tls
from unora_local.keyboard import contract
from unora_local.keys import exclusive, write_private
from unora_local.layout import SUBSCRIBERS, Layout
from unora_local.mistakes import Mistake
from unora_local.nats import Nats
from unora_local.progress import table
from unora_local.run_folder import RunFolder
from unora_local.subscribers import Subscriber
from unora_local.tls import Certificate

RELOADED_WITHIN: Final = 30.0
ASKED_WITHIN: Final = 2.0
POLL: Final = 0.5
RESERVED: Final = {*CONTEXTS, *tls.CALLERS, *tls.NATS, *tls.NO_CALLERS, nats_config.ADMIN, nats_config.ACCOUNT, "ca"}
"""Names that mean something else to NATS or to the services. `chat` and `notifier` are subscribers like others."""
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")


async def subscribe(folder: RunFolder, name: str, asked: Sequence[str]) -> str:
    """Let `name` consume exactly these events from now on; without an event take the user away. The server takes it
    over while it runs. Returns what to say; `NAME.env` in the folder `subscribers` has the credentials.

    Raises Mistake for a name or an event that cannot be, and for interests, which only two contexts read (MA-10).
    """
    check_name(name)
    events = tuple(subject_of(contract.event_named(each)) for each in dict.fromkeys(asked))
    with exclusive(folder.path / SUBSCRIBERS):
        return await _subscribe(folder, name, events)


async def _subscribe(folder: RunFolder, name: str, events: tuple[str, ...]) -> str:
    file = folder.path / SUBSCRIBERS
    known = {each.name: each for each in subscribers.read(file)}
    before = known.pop(name, None)
    if not events and before is None:
        raise Mistake(f"there is no subscriber {name}; name the events that it is to consume")
    after = Subscriber(name, before.password if before else secrets.token_hex(20), events)
    try:
        nats_config.services_of(after)
    except ValueError as error:
        raise Mistake(str(error)) from None
    subscribers.write(file, [*known.values(), *([after] if events else [])])
    nats = Layout(folder, CONTEXTS, running=True).nats(declarations.consumed_subjects(CONTEXTS))
    await _take_over(folder, nats, gone=set(before.durables() if before else ()) - set(after.durables()))
    own = tls.ensure(folder.path / "tls", [name])[name]
    await _wait_until(folder, nats, after, own, has_access=bool(events))
    if not events:
        _credentials(folder, name).unlink(missing_ok=True)
        return f"{name} may consume nothing any more"
    _keep(folder, nats, after, own)
    return _describe(folder, after)


def check_name(name: str) -> None:
    """Raise Mistake for a name that a subscriber cannot have."""
    if not _NAME.fullmatch(name):
        raise Mistake(f"{name} is no name: small letters, digits and -, at most 31, a letter first")
    if name in RESERVED:
        raise Mistake(f"{name} is a name of Unora's own; choose another")


async def _take_over(folder: RunFolder, nats: Nats, gone: set[Durable]) -> None:
    nats.configure()
    await nats.make_consumers()
    admin = await nats.connect(nats_config.ADMIN, nats.administrator)
    for each in gone:
        try:
            await admin.jetstream(timeout=ANSWER_WITHIN).delete_consumer(each.stream, each.name)
        except NotFoundError:
            continue
    await admin.close()
    _reload(folder)


def _reload(folder: RunFolder) -> None:
    (server,) = (row for row in folder.rows() if row.name == "nats")
    os.kill(server.pid, signal.SIGHUP)


async def _wait_until(
    folder: RunFolder, nats: Nats, subscriber: Subscriber, own: Certificate, *, has_access: bool
) -> None:
    """Return when the server answers the subscriber about each of its consumers, or no longer accepts it."""
    end = time.monotonic() + RELOADED_WITHIN
    while await _has_access(nats.url_of(subscriber), subscriber, own) != has_access:
        if time.monotonic() > end:
            raise Mistake(f"NATS did not take {subscriber.name} over within {RELOADED_WITHIN:.0f} s; see {nats.log}")
        await asyncio.sleep(POLL)
        _reload(folder)  # the imports of an account that a reload has brought lead nowhere until the next one


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


def _credentials(folder: RunFolder, name: str) -> Path:
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
    write_private(_credentials(folder, subscriber.name), text.encode())


def _describe(folder: RunFolder, subscriber: Subscriber) -> str:
    rows = [(each.subject, each.stream, each.name) for each in subscriber.durables()]
    return (
        f"{subscriber.name} may consume:\n{table(('event', 'stream', 'consumer'), rows)}\n"
        f"Its address, password, certificate and inbox are in {_credentials(folder, subscriber.name)}"
    )
